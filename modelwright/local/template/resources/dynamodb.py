"""DynamoDB tables."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from modelwright.local.template.intrinsics import Physical
from modelwright.local.template.registry import Level, Resource, resource

if TYPE_CHECKING:
    from modelwright.local.cloud import Cloud


def _remove_table(cloud: Cloud, resource: Resource, physical: Physical) -> None:
    cloud.client("dynamodb").delete_table(TableName=physical.id)


@resource(
    "AWS::DynamoDB::Table",
    Level.RUNS,
    "items, conditions, transactions; point-in-time recovery is only recorded, and items past their time to live stay",
    remove=_remove_table,
)
def put_table(cloud: Cloud, resource: Resource) -> Physical:
    """A table; what it held before comes back from the disk."""
    resource.only(
        "TableName",
        "AttributeDefinitions",
        "KeySchema",
        "BillingMode",
        "PointInTimeRecoverySpecification",
        "SSESpecification",
        "TimeToLiveSpecification",
        "DeletionProtectionEnabled",
        "Tags",
        "GlobalSecondaryIndexes",
    )
    name = resource.properties.get("TableName") or resource.name(255)
    client = cloud.client("dynamodb")
    keys = ("AttributeDefinitions", "KeySchema", "BillingMode", "GlobalSecondaryIndexes")
    request = {key: resource.properties[key] for key in keys if key in resource.properties}
    with suppress(client.exceptions.ResourceInUseException):  # an update; keys cannot change
        client.create_table(TableName=name, **request)
    protected = str(resource.properties.get("DeletionProtectionEnabled", False)).lower() == "true"
    if protected != client.describe_table(TableName=name)["Table"].get("DeletionProtectionEnabled", False):
        client.update_table(TableName=name, DeletionProtectionEnabled=protected)
    arn = f"arn:aws:dynamodb:{cloud.region}:{cloud.account}:table/{name}"
    cloud.iam.put_resource_key(arn, resource.properties.get("SSESpecification", {}).get("KMSMasterKeyId"))
    cloud.iam.put_partition_key(arn, _partition_key(resource))
    return Physical(name, {"Arn": arn})


def _partition_key(resource: Resource) -> str:
    return next(str(entry["AttributeName"]) for entry in resource.required("KeySchema") if entry["KeyType"] == "HASH")
