"""Roles: one a kind of caller, its whole policy inside it, so that none is ever used before its policy is there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import aws_iam as iam

from stacks.policies import ACCOUNT_ONLY, Statement, arn, document, trust
from stacks.policy_checks import accept, accept_overdone, accept_wildcards

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from constructs import Construct

_INLINE = "of this role alone and made with it: a policy beside it would come after the role, or stay without it"


JOBS: Mapping[str, str] = {"Processing": "processing-job/*", "Training": "training-job/*"}
"""For which resources SageMaker takes a job's role."""
HOSTING = "*"
"""For models and endpoints, SageMaker says `*` itself, where jobs have their names: nothing narrower would match it."""


def job_role(scope: Construct, id_: str, what: str, source: str, statements: Iterable[Statement]) -> iam.CfnRole:
    """Make a role that SageMaker takes, for the `source` of this account only: one of `JOBS`, or `HOSTING`.

    https://docs.aws.amazon.com/sagemaker/latest/dg/security-confused-deputy-prevention.html
    """
    return _role(scope, id_, what, trust("sagemaker", _from("sagemaker", source)), statements)


def workflow_role(scope: Construct, id_: str, what: str, statements: Iterable[Statement]) -> iam.CfnRole:
    """Make a role that Step Functions takes, for this account's state machines only.

    https://docs.aws.amazon.com/step-functions/latest/dg/procedure-create-iam-role.html
    """
    return _role(scope, id_, what, trust("states", _from("states", "stateMachine:*")), statements)


def function_role(scope: Construct, id_: str, what: str, statements: Iterable[Statement]) -> iam.CfnRole:
    """Make a role that Lambda takes. Lambda documents no source keys for it, so the trust has no condition.

    https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html
    """
    granted = tuple(statements)
    role = _role(scope, id_, what, trust("lambda"), granted)
    if any(statement.wildcards for statement in granted):
        accept(role, "Serverless-LambdaStarPermissions", "each wildcard has its own reason: see AwsSolutions-IAM5")
    return role


def build_role(scope: Construct, id_: str, what: str, statements: Iterable[Statement]) -> iam.CfnRole:
    """Make a role that CodeBuild takes, for this account's projects only.

    https://docs.aws.amazon.com/codebuild/latest/userguide/cross-service-confused-deputy-prevention.html
    """
    return _role(scope, id_, what, trust("codebuild", _from("codebuild", "project/*")), statements)


def rule_role(scope: Construct, id_: str, what: str, statements: Iterable[Statement]) -> iam.CfnRole:
    """Make a role that EventBridge takes, for this account's rules only.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-cross-service-confused-deputy-prevention.html
    """
    return _role(scope, id_, what, trust("events", _from("events", "rule/*")), statements)


def trusted_role(
    scope: Construct, id_: str, what: str, trusted: dict[str, Any], statements: Iterable[Statement]
) -> iam.CfnRole:
    """Make a role that no service takes: the policy `trusted` says who does."""
    return _role(scope, id_, what, trusted, statements)


def _from(service: str, resource: str) -> Mapping[str, Mapping[str, Any]]:
    return {**ACCOUNT_ONLY, "ArnLike": {"aws:SourceArn": arn(service, resource)}}


def _role(
    scope: Construct, id_: str, what: str, trusted: dict[str, Any], statements: Iterable[Statement]
) -> iam.CfnRole:
    granted = tuple(statements)
    policy = {"policyName": "Grants", "policyDocument": document(granted)}
    role = iam.CfnRole(scope, id_, description=what, assume_role_policy_document=trusted, policies=[policy])
    accept(role, "NIST.800.53.R5-IAMNoInlinePolicy", _INLINE)
    accept_wildcards(role, granted)
    accept_overdone(role, granted)
    return role
