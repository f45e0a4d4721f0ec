"""KMS keys."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from modelwright.local.template.intrinsics import Physical
from modelwright.local.template.registry import Level, Resource, resource

if TYPE_CHECKING:
    from modelwright.local.cloud import Cloud


@resource(
    "AWS::KMS::Key",
    Level.ENFORCED,
    "its policy is checked wherever a bucket, queue, topic or log group uses it; the bytes on this machine's disk are not encrypted",
)
def put_key(cloud: Cloud, resource: Resource) -> Physical:
    """A symmetric key with a repeatable id."""
    resource.only(
        "KeyPolicy",
        "EnableKeyRotation",
        "Description",
        "PendingWindowInDays",
        "Tags",
        "RotationPeriodInDays",
        "Enabled",
    )
    from moto.kms.models import kms_backends  # noqa: PLC0415 - moto's modules are loaded when they are first needed

    backend = kms_backends[cloud.account][cloud.region]
    key_id = resource.uuid()
    document = resource.required("KeyPolicy")
    if key_id not in backend.keys:
        key = backend.create_key(
            json.dumps(document),
            "ENCRYPT_DECRYPT",
            "SYMMETRIC_DEFAULT",
            resource.properties.get("Description", ""),
            None,
        )
        backend.keys.pop(key.id)
        key.id = key_id  # CloudFormation's would be random; ours is the same at each start
        key.arn = key.arn.rsplit("/", 1)[0] + f"/{key_id}"
        backend.keys[key_id] = key
    arn = backend.keys[key_id].arn
    cloud.iam.put_resource_policy(arn, document)
    return Physical(key_id, {"Arn": arn, "KeyId": key_id})


@resource("AWS::KMS::Alias", Level.RUNS, "the alias can be described and used in place of the key's id")
def put_alias(cloud: Cloud, resource: Resource) -> Physical:
    """A second name of a key."""
    resource.only("AliasName", "TargetKeyId")
    name, client = resource.required("AliasName"), cloud.client("kms")
    target = str(resource.required("TargetKeyId")).rsplit("/", 1)[-1]
    if any(alias["AliasName"] == name for alias in client.list_aliases()["Aliases"]):
        client.update_alias(AliasName=name, TargetKeyId=target)
    else:
        client.create_alias(AliasName=name, TargetKeyId=target)
    cloud.iam.put_key_alias(name, f"arn:aws:kms:{cloud.region}:{cloud.account}:key/{target}")
    return Physical(name)
