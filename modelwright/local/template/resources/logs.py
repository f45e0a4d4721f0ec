"""CloudWatch Logs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelwright.local.calls.direct import Direct
from modelwright.local.template.intrinsics import Physical
from modelwright.local.template.registry import Level, Resource, resource

if TYPE_CHECKING:
    from modelwright.local.cloud import Cloud


def _remove_group(cloud: Cloud, resource: Resource, physical: Physical) -> None:
    Direct(cloud, "logs").delete_log_group(logGroupName=physical.id)


@resource(
    "AWS::Logs::LogGroup",
    Level.RUNS,
    "streams and events can be read; retention is only recorded: nothing expires here",
    remove=_remove_group,
)
def put_group(cloud: Cloud, resource: Resource) -> Physical:
    """A log group."""
    resource.only("LogGroupName", "RetentionInDays", "KmsKeyId", "Tags")
    name = resource.properties.get("LogGroupName") or resource.name(512)
    client, key = Direct(cloud, "logs"), resource.properties.get("KmsKeyId")
    known = client.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    if name not in {group["logGroupName"] for group in known}:
        client.create_log_group(logGroupName=name, **({"kmsKeyId": key} if key else {}))
    elif key:  # a group outlasts the local cloud, and its key's policy may have changed
        client.associate_kms_key(logGroupName=name, kmsKeyId=key)
    else:
        client.disassociate_kms_key(logGroupName=name)
    return Physical(name, {"Arn": f"arn:aws:logs:{cloud.region}:{cloud.account}:log-group:{name}:*"})


def _policy_arn(cloud: Cloud, name: str) -> str:
    return f"arn:aws:logs:{cloud.region}:{cloud.account}:resource-policy/{name}"


def _remove_resource_policy(cloud: Cloud, resource: Resource, physical: Physical) -> None:
    cloud.iam.put_resource_policy(_policy_arn(cloud, physical.id), None)


@resource(
    "AWS::Logs::ResourcePolicy",
    Level.ENFORCED,
    "checked when EventBridge delivers to a log group",
    remove=_remove_resource_policy,
)
def put_resource_policy(cloud: Cloud, resource: Resource) -> Physical:
    """Who may deliver to log groups."""
    resource.only("PolicyName", "PolicyDocument")
    name = resource.required("PolicyName")
    cloud.iam.put_resource_policy(_policy_arn(cloud, name), resource.required("PolicyDocument"))
    return Physical(name)
