"""What the Lambda `expire_endpoint` may do: under the endpoint's lease, delete it, tell, and give up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stacks.grants.target import via
from stacks.policies import Statement, arn

if TYPE_CHECKING:
    from stacks.grants.target import Target

MACHINES_ONLY = {
    "StringEquals": {
        "application-autoscaling:service-namespace": "sagemaker",
        "application-autoscaling:scalable-dimension": "sagemaker:variant:DesiredInstanceCount",
    }
}
"""https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsapplicationautoscaling.html"""


def expire_endpoint_statements(target: Target, *, scales: bool) -> tuple[Statement, ...]:
    """Return the function's policy without its log and traces."""
    use = ("kms:Decrypt", "kms:GenerateDataKey")
    return (
        Statement("LookAtAndDelete", ("sagemaker:DescribeEndpoint", "sagemaker:DeleteEndpoint"), (target.endpoint,)),
        Statement("ReadDeploymentAndTakeLease", ("dynamodb:GetItem", "dynamodb:UpdateItem"), (target.table,)),
        *target.use_key("DecryptTheTable", "kms:Decrypt", conditions=via("dynamodb")),
        *(_scaling(target) if scales else ()),
        Statement("TellWhatWasDeleted", ("sns:Publish",), (target.shared.topic_arn,)),
        *target.use_key("EncryptMessages", *use, conditions=via("sns")),
        Statement("GiveUp", ("sqs:SendMessage",), (target.shared.dead_letter_queue_arn,)),
        *target.use_key("EncryptDeadLetters", *use, conditions=via("sqs")),
    )


def _scaling(target: Target) -> tuple[Statement, ...]:
    """SageMaker takes the targets of an endpoint away with it, for whoever may.

    https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-delete-with-scaling.html
    """
    name = target.names.prefix
    alarms = tuple(arn("cloudwatch", f"alarm:{each}") for each in (f"TargetTracking-endpoint/{name}/variant/*",))
    return (
        Statement(
            "EndScaling",
            ("application-autoscaling:DeregisterScalableTarget",),
            (arn("application-autoscaling", "scalable-target/*"),),
            MACHINES_ONLY,
            why="a target's ARN ends with an id that Auto Scaling chooses; limited to machines of endpoints",
        ),
        Statement(
            "EndAlarmsOfScaling",
            ("cloudwatch:DeleteAlarms",),
            (*alarms, arn("cloudwatch", f"alarm:{name}-from-zero")),
            why="Auto Scaling names its alarms itself",
        ),
    )
