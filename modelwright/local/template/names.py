"""Custom names, each of which one resource of a type can have.

"Resource names must be unique across all your active stacks":
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-name.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .intrinsics import TemplateError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .registry import Resource

NAMED = {
    "AWS::CloudWatch::Alarm": ("AlarmName",),
    "AWS::CloudWatch::Dashboard": ("DashboardName",),
    "AWS::CodeBuild::Project": ("Name",),
    "AWS::DynamoDB::Table": ("TableName",),
    "AWS::ECR::Repository": ("RepositoryName",),
    "AWS::Events::EventBus": ("Name",),
    "AWS::Events::EventBusPolicy": ("StatementId",),  # of all buses: https://github.com/aws/aws-cdk/pull/38655
    "AWS::Events::Rule": ("Name", "EventBusName"),
    "AWS::IAM::Role": ("RoleName",),
    "AWS::KMS::Alias": ("AliasName",),
    "AWS::Lambda::Function": ("FunctionName",),
    "AWS::Logs::LogGroup": ("LogGroupName",),
    "AWS::S3::Bucket": ("BucketName",),
    "AWS::SNS::Topic": ("TopicName",),
    "AWS::SQS::Queue": ("QueueName",),
    "AWS::SSM::Parameter": ("Name",),
    "AWS::SageMaker::ModelPackageGroup": ("ModelPackageGroupName",),
    "AWS::StepFunctions::StateMachine": ("StateMachineName",),
}
"""Type -> the property that names it, and others that the name belongs to."""


def refuse_taken(wanted: Resource, there: Iterable[Resource]) -> None:
    """Raise TemplateError where another resource has the custom name.

    A resource that leaves its stack has it until the update's end: what is new is made first.
    """
    mine = _name(wanted)
    for other in there if mine else ():
        is_another = (other.stack, other.logical_id) != (wanted.stack, wanted.logical_id)
        if is_another and other.type == wanted.type and _name(other) == mine:
            raise TemplateError(
                f"{wanted.stack}: {wanted.logical_id} ({wanted.type}): {mine[0]} already exists in stack "
                f"{other.stack}: it is {other.logical_id}. Give one of them another name."
            )


def _name(resource: Resource) -> tuple[object, ...]:
    """What tells it from others of its type; empty for one whose name CloudFormation makes up."""
    found = tuple(resource.properties.get(key) for key in NAMED.get(resource.type, ()))
    return found if found and found[0] else ()
