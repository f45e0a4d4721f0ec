"""`doctor --aws` and `key`: what is there stays under the key that it was written with."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from .conftest import bad, of

if TYPE_CHECKING:
    from fake_account import FakeAccount

    from modelwright.client.doctor import Finding

Examine = Callable[..., "list[Finding]"]
ROOT = "/modelwright/dev/"


def published(account: FakeAccount, *names: str) -> None:
    """Let the data stack have published these parameters."""
    account.answers["ssm:GetParameters"] = {"Parameters": [{"Name": ROOT + name, "Value": "x"} for name in names]}


def test_of_what_is_not_deployed_nothing_is_said(account: FakeAccount, examine: Examine) -> None:
    assert of(examine(key="aws-owned"), "key") == []
    assert account.asked("ssm:GetParameters") == [{"Names": [ROOT + "artifact-bucket", ROOT + "key-arn"]}]


@pytest.mark.parametrize(
    ("names", "key"), [(("artifact-bucket", "key-arn"), "customer-managed"), (("artifact-bucket",), "aws-owned")]
)
def test_what_was_deployed_so_is_well(account: FakeAccount, examine: Examine, names: tuple[str], key: str) -> None:
    published(account, *names)
    found = examine(key=key)
    assert of(found, "key") == [("ok", f"dev has the keys that it was deployed with: {key}", None)]
    assert bad(found) == []


@pytest.mark.parametrize(
    ("names", "key", "before"),
    [
        (("artifact-bucket", "key-arn"), "aws-owned", "customer-managed"),
        (("artifact-bucket",), "customer-managed", "aws-owned"),
    ],
)
def test_another_choice_stops_a_deploy(
    account: FakeAccount, examine: Examine, names: tuple[str], key: str, before: str
) -> None:
    published(account, *names)
    found = examine(key=key)
    said = (
        f"environments/dev.yaml: key is {key}, and dev was deployed with {before}; what is there stays under that, and "
        "a repository's encryption cannot change."
    )
    step = f"Put `key: {before}` back, or make an environment of another name: docs/keys.md, Changing it."
    assert of(found, "key") == [("failure", said, step)]
    assert any(item.stops_a_deploy for item in found)
