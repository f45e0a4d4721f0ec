"""Whose key encrypts: chosen when an environment is made, and not to be changed under what is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelwright.client.doctor.findings import Examination, Finding, failure, ok

if TYPE_CHECKING:
    from collections.abc import Iterator


def check_key_choice(about: Examination) -> Iterator[Finding]:
    """Whether the environment's file says of `key` what was deployed: the data stack publishes a key that it has made.

    Objects, messages and logs stay under the key that they were written with, which roles of the other choice may not
    use; and the encryption of a repository cannot change, so that a deploy would fail when the shared half was changed:
    https://docs.aws.amazon.com/AmazonECR/latest/userguide/encryption-at-rest.html
    """
    names = [f"/modelwright/{about.settings.name}/{name}" for name in ("artifact-bucket", "key-arn")]
    found = about.session.client("ssm").get_parameters(Names=names)["Parameters"]
    values = {item["Name"].rpartition("/")[2]: item["Value"] for item in found}
    deployed = "customer-managed" if "key-arn" in values else "aws-owned"
    if "artifact-bucket" not in values:
        return
    if deployed == about.settings.key:
        yield ok("key", f"{about.settings.name} has the keys that it was deployed with: {deployed}")
        return
    yield failure(
        "key",
        f"environments/{about.settings.name}.yaml: key is {about.settings.key}, and {about.settings.name} was deployed "
        f"with {deployed}; what is there stays under that, and a repository's encryption cannot change.",
        f"Put `key: {deployed}` back, or make an environment of another name: docs/keys.md, Changing it.",
    )
