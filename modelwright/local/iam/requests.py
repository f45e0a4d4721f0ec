"""From one API call to everything that AWS would check before it lets the call through."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelwright.errors import nearest
from modelwright.local.iam.actions import (
    account,
    apigateway,
    autoscaling,
    cloudwatch,
    codebuild,
    dynamodb,
    events,
    kms,
    lambda_,
    messages,
    s3,
    sagemaker,
    sagemaker_runtime,
    stepfunctions,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from modelwright.local.iam.checks import Check, Mapper, Request

SERVICES: Mapping[str, Mapping[str, Mapper]] = {
    "apigateway": apigateway.OPERATIONS,
    "application-autoscaling": autoscaling.OPERATIONS,
    "cloudformation": account.CLOUDFORMATION,
    "cloudwatch": cloudwatch.CLOUDWATCH,
    "codebuild": codebuild.OPERATIONS,
    "codecommit": account.CODECOMMIT,
    "dynamodb": dynamodb.OPERATIONS,
    "ecr": account.ECR,
    "events": events.OPERATIONS,
    "iam": account.IAM,
    "kms": kms.OPERATIONS,
    "lambda": lambda_.OPERATIONS,
    "logs": cloudwatch.LOGS,
    "s3": s3.OPERATIONS,
    "sagemaker": sagemaker.OPERATIONS,
    "sagemaker-runtime": sagemaker_runtime.OPERATIONS,
    "sns": messages.SNS,
    "sqs": messages.SQS,
    "ssm": account.SSM,
    "stepfunctions": stepfunctions.OPERATIONS,
    "sts": account.STS,
    "xray": cloudwatch.XRAY,
}
"""botocore's name of a service -> its operations -> what they need."""


class UnmappedOperation(Exception):  # noqa: N818  # not a user's mistake: the authority turns it into an answer
    """An operation for which nobody wrote down what AWS checks: a role cannot be let through."""

    def __init__(self, service: str, operation: str) -> None:
        """Name the operation, and the one that is most like it."""
        known = SERVICES.get(service, {})
        near = nearest(operation, known)
        hint = f"; the nearest one that it knows is {near[0]}" if near else ""
        super().__init__(f"the local cloud does not know which permissions {service}:{operation} needs{hint}")


def required(request: Request) -> Sequence[Check]:
    """Everything that the call needs, in the order in which AWS would refuse it; raise UnmappedOperation."""
    mapper = SERVICES.get(request.service, {}).get(request.operation)
    if mapper is None:
        raise UnmappedOperation(request.service, request.operation)
    return mapper(request)
