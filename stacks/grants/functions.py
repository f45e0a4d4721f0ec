"""What each Lambda may do: `modelwright.workflow.functions` says what its code calls, here it becomes statements."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from aws_cdk import Aws

from modelwright.workflow.run_names import name_pattern
from stacks.grants.expiring import MACHINES_ONLY
from stacks.policies import NO_RESOURCE, Statement

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelwright.workflow.function import Function, Grant
    from stacks.grants.target import Target

KEY_ONLY = ("${KeyArn}",)
METRIC_NAMESPACE = "Modelwright"
_CONDITIONS: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "cloudwatch:PutMetricData": {"StringEquals": {"cloudwatch:namespace": METRIC_NAMESPACE}},
    "application-autoscaling:RegisterScalableTarget": MACHINES_ONLY,
    "iam:CreateServiceLinkedRole": {
        "StringLike": {"iam:AWSServiceName": "sagemaker.application-autoscaling.amazonaws.com"}
    },
    "kms:CreateGrant": {"Bool": {"kms:GrantIsForAWSResource": "true"}},
    "kms:Decrypt": {
        "StringEquals": {"kms:ViaService": [f"{name}.{Aws.REGION}.amazonaws.com" for name in ("s3", "dynamodb")]}
    },
}
"""Actions that are only allowed under a condition, whoever asks for them."""


def function_statements(target: Target, function: Function, log_group_arn: str) -> tuple[Statement, ...]:
    """Return the policy of one function: its own grants, its log, its traces. Without a key, none is about one."""
    asked = [grant for grant in function.grants if target.shared.key_arn or grant.resources != KEY_ONLY]
    grants = tuple(_statement(target, number, grant) for number, grant in enumerate(asked, start=1))
    return (*grants, write_log(log_group_arn), send_traces())


def write_log(log_group_arn: str) -> Statement:
    """Write to the function's own log group; `log_group_arn` ends with `:*`, which means its streams."""
    return Statement("WriteLog", ("logs:CreateLogStream", "logs:PutLogEvents"), (log_group_arn,))


def send_traces() -> Statement:
    """Send traces; X-Ray knows no resources: https://docs.aws.amazon.com/xray/latest/devguide/security_iam_id-based-policy-examples.html."""
    return Statement("SendTraces", ("xray:PutTelemetryRecords", "xray:PutTraceSegments"), ("*",), why=NO_RESOURCE)


def _statement(target: Target, number: int, grant: Grant) -> Statement:
    conditions = next((_CONDITIONS[action] for action in grant.actions if action in _CONDITIONS), {})
    resources = tuple(_resolve(target, resource) for resource in grant.resources)
    return Statement(_sid(number, grant), grant.actions, resources, conditions, why=grant.reason)


def _sid(number: int, grant: Grant) -> str:
    """`Grant1S3GetObject`: a statement is found again by what it allows first."""
    return f"Grant{number}" + "".join(part[:1].upper() + part[1:] for part in re.split("[:-]", grant.actions[0]))


def _resolve(target: Target, resource: str) -> str:
    values = {
        "ArtifactBucketArn": target.shared.artifact_bucket_arn,
        "TableArn": target.table,
        "KeyArn": target.shared.key_arn or "",
        "Partition": Aws.PARTITION,
        "Region": Aws.REGION,
        "Account": Aws.ACCOUNT_ID,
        "Pipeline": target.pipeline,
        "EndpointName": target.names.prefix,
        "RunNames": name_pattern(target.names.environment, target.pipeline),
        "ModelPackageGroupName": target.names.prefix,
        "StateMachineName": target.names.state_machine,
    }
    return re.sub(r"\$\{([A-Za-z]+)\}", lambda found: values[found[1]], resource)
