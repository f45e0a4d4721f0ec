"""GitHub's way in: the identity provider of the account, and a role that one branch of one repository takes.

https://docs.github.com/en/actions/how-tos/secure-your-work/security-harden-deployments/oidc-in-aws
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import Aws
from aws_cdk import aws_iam as iam

from modelwright.config.read_environment import GITHUB_ISSUER as ISSUER
from stacks.constructs.roles import trusted_role
from stacks.policies import Statement, arn
from stacks.policy_checks import accept_found
from stacks.removal import KEPT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from constructs import Construct

    from stacks.grants.target import Target

AUDIENCE = "sts.amazonaws.com"
TRUST_SID = "OneBranch"
_TAKEN_BY_TOKEN = f"[{TRUST_SID}/sts:AssumeRoleWithWebIdentity]"
_UNKNOWN_TO_PARLIAMENT = {
    f"UNKNOWN_CONDITION_FOR_ACTION{_TAKEN_BY_TOKEN}": (
        "its keys are those of AWS's reference of actions, which has none of identity providers: "
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#condition-keys-wif"
    ),
    f"UNKNOWN_FEDERATION_SOURCE{_TAKEN_BY_TOKEN}": (
        "it knows SAML and four providers by name; any other is a principal by its ARN: "
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create_for-idp_oidc.html"
    ),
}


def identity_provider(scope: Construct) -> iam.CfnOIDCProvider:
    """Make the account's identity provider for GitHub: an account has one for a URL, so it is kept, whoever made it.

    No thumbprints: AWS checks GitHub's certificate by its own list of authorities, and fetches one where none is given.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc_verify-thumbprint.html
    https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateOpenIDConnectProvider.html (ThumbprintList)
    """
    provider = iam.CfnOIDCProvider(scope, "GitHubProvider", url=f"https://{ISSUER}", client_id_list=[AUDIENCE])
    provider.apply_removal_policy(KEPT)
    return provider


def trust_in_branch(repository: str, branch: str) -> dict[str, Any]:
    """Return the trust policy that lets workflows of one branch of one repository take a role, and nobody else.

    The subject is compared whole: another branch, a tag, a pull request (`…:pull_request`, a fork's too) and a job with
    an environment (`…:environment:…`) have another one. `repository` is as GitHub writes it there: `owner/repository`,
    or `owner@id/repository@id` for one that was made, renamed or transferred after 15 July 2026.
    https://docs.github.com/en/actions/reference/security/oidc#immutable-subject-claims
    """
    provider = arn("iam", f"oidc-provider/{ISSUER}", region="")
    claims = {f"{ISSUER}:aud": AUDIENCE, f"{ISSUER}:sub": f"repo:{repository}:ref:refs/heads/{branch}"}
    statement = {
        "Sid": TRUST_SID,
        "Effect": "Allow",
        "Principal": {"Federated": provider},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": claims},
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def branch_role(
    scope: Construct, id_: str, what: str, trusted: dict[str, Any], statements: Iterable[Statement]
) -> iam.CfnRole:
    """Make the role that whom `trusted` names takes (`trust_in_branch`)."""
    role = trusted_role(scope, id_, what, trusted, statements)
    accept_found(role, "parliament", _UNKNOWN_TO_PARLIAMENT)
    return role


def find_the_stack(target: Target) -> Statement:
    """Read the outputs of the pipeline's own stack, which name the bucket and the bus."""
    stack = f"arn:{Aws.PARTITION}:cloudformation:{Aws.REGION}:{Aws.ACCOUNT_ID}:stack/{target.names.stack}/*"
    why = "CloudFormation puts an id of its own behind the stack's name"
    return Statement("FindTheStack", ("cloudformation:DescribeStacks",), (stack,), why=why)
