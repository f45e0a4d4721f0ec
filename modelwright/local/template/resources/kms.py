"""KMS keys: what they decide is enforced; nothing here encrypts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelwright.local.template.intrinsics import Physical
from modelwright.local.template.registry import Level, Resource, resource

if TYPE_CHECKING:
    from modelwright.local.cloud import Cloud


def _remove_key(cloud: Cloud, resource: Resource, physical: Physical) -> None:
    cloud.iam.put_resource_policy(physical.attributes["Arn"], None)


def _remove_alias(cloud: Cloud, resource: Resource, physical: Physical) -> None:
    cloud.iam.put_key_alias(physical.id, None)


@resource(
    "AWS::KMS::Key",
    Level.ENFORCED,
    "its policy decides wherever a bucket, table, queue, topic, log group or job uses it; the bytes on this disk are "
    "not encrypted, and the key cannot be called directly",
    remove=_remove_key,
)
def put_key(cloud: Cloud, resource: Resource) -> Physical:
    """A symmetric key with a repeatable id."""
    resource.only(
        "Description",
        "EnableKeyRotation",
        "Enabled",
        "KeyPolicy",
        "PendingWindowInDays",
        "RotationPeriodInDays",
        "Tags",
    )
    key_id = resource.uuid()
    arn = f"arn:aws:kms:{cloud.region}:{cloud.account}:key/{key_id}"
    cloud.iam.put_resource_policy(arn, resource.required("KeyPolicy"))
    return Physical(key_id, {"Arn": arn, "KeyId": key_id})


@resource(
    "AWS::KMS::Alias", Level.ENFORCED, "stands for its key wherever that one's policy decides", remove=_remove_alias
)
def put_alias(cloud: Cloud, resource: Resource) -> Physical:
    """A second name of a key."""
    resource.only("AliasName", "TargetKeyId")
    name, target = resource.required("AliasName"), str(resource.required("TargetKeyId")).rsplit("/", 1)[-1]
    cloud.iam.put_key_alias(name, f"arn:aws:kms:{cloud.region}:{cloud.account}:key/{target}")
    return Physical(name)
