"""What of IAM has to be there before: a permissions boundary, the identity provider of GitHub's tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelwright.client.deployment import stack_names, stack_resources
from modelwright.client.doctor.findings import Examination, Finding, failure, ok
from modelwright.client.problems import code_of

if TYPE_CHECKING:
    from collections.abc import Iterator

_ISSUER = "token.actions.githubusercontent.com"
_AUDIENCE = "sts.amazonaws.com"
"""What GitHub's action for AWS asks its tokens for:
https://docs.github.com/en/actions/how-tos/secure-your-work/security-harden-deployments/oidc-in-aws"""


def check_boundary(about: Examination) -> Iterator[Finding]:
    """The policy that bounds every role: without it no role can be made."""
    from botocore.exceptions import ClientError  # noqa: PLC0415 # see session.py

    arn = about.settings.permissions_boundary
    if not arn:
        return
    try:
        about.session.client("iam").get_policy(PolicyArn=arn)
    except ClientError as error:
        if code_of(error) != "NoSuchEntity":
            raise
        hint = f"Correct `permissions_boundary` in environments/{about.settings.name}.yaml, or make the policy."
        yield failure("boundary", f"there is no policy {arn}.", hint)
        return
    yield ok("boundary", f"{arn} is there.")


def check_oidc_provider(about: Examination) -> Iterator[Finding]:
    """One provider an issuer and account (https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateOpenIDConnectProvider.html)."""
    if not any(pipeline.triggers.merge_github for pipeline in about.pipelines.values()):
        return
    wanted = about.settings.oidc_provider
    if wanted == "create":
        yield _free(about)
    elif wanted:
        yield _there(about, wanted)


def _there(about: Examination, arn: str) -> Finding:
    from botocore.exceptions import ClientError  # noqa: PLC0415 # see session.py

    file = f"environments/{about.settings.name}.yaml"
    try:
        found = about.session.client("iam").get_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    except ClientError as error:
        if code_of(error) != "NoSuchEntity":
            raise
        text = f"there is no identity provider {arn}."
        return failure("oidc provider", text, f"Write `oidc_provider: create` in {file}: a deploy makes it.")
    if _AUDIENCE not in found.get("ClientIDList", []):
        return failure(
            "oidc provider",
            f"{arn} does not take tokens for {_AUDIENCE}: no merge on GitHub could log in.",
            f"`aws iam add-client-id-to-open-id-connect-provider --open-id-connect-provider-arn {arn} "
            f"--client-id {_AUDIENCE}` adds it.",
            blocks=False,
        )
    return ok("oidc provider", f"{arn} is there and takes tokens for {_AUDIENCE}.")


def _free(about: Examination) -> Finding:
    listed = about.session.client("iam").list_open_id_connect_providers()["OpenIDConnectProviderList"]
    found = [entry["Arn"] for entry in listed if entry["Arn"].endswith(f"/{_ISSUER}")]
    shared = stack_names(about.settings.name, "-")[0]
    if not found:
        return ok("oidc provider", f"a deploy makes the one for {_ISSUER}.")
    if stack_resources(about.session, shared).get("AWS::IAM::OIDCProvider") == found[0]:
        return ok("oidc provider", f"{found[0]} is of the stack {shared}.")
    return failure(
        "oidc provider",
        f"the account has {found[0]} already, and can have one of that issuer only: the deploy would fail.",
        f"Write `oidc_provider: {found[0]}` in environments/{about.settings.name}.yaml in place of `create`.",
    )
