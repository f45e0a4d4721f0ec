"""S3 buckets."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from modelwright.local.template.intrinsics import Physical, TemplateError
from modelwright.local.template.registry import Level, Resource, resource

if TYPE_CHECKING:
    from modelwright.local.cloud import Cloud


def _remove_bucket(cloud: Cloud, resource: Resource, physical: Physical) -> None:
    cloud.client("s3").delete_bucket(Bucket=physical.id)


@resource(
    "AWS::S3::Bucket",
    Level.RUNS,
    "objects and versions; callers need the key of its default encryption, which answers do not name; lifecycle rules, "
    "access logs and the public access block are only recorded: nothing expires and nobody else can reach a bucket on "
    "loopback; a bucket for access logs that is under a KMS key is refused",
    remove=_remove_bucket,
)
def put_bucket(cloud: Cloud, resource: Resource) -> Physical:
    """A bucket; its notifications may go to EventBridge only."""
    resource.only(
        "BucketName",
        "BucketEncryption",
        "VersioningConfiguration",
        "PublicAccessBlockConfiguration",
        "LoggingConfiguration",
        "LifecycleConfiguration",
        "NotificationConfiguration",
        "OwnershipControls",
        "Tags",
        "AccessControl",
    )
    _refuse_encrypted_log_bucket(cloud, resource)
    name = resource.properties.get("BucketName") or resource.name(63, lower=True)
    client = cloud.client("s3")
    place = {} if cloud.region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": cloud.region}}
    there = (client.exceptions.BucketAlreadyOwnedByYou, client.exceptions.BucketAlreadyExists)
    with suppress(*there):  # an update: what follows sets its properties
        client.create_bucket(Bucket=name, **place)
    _configure(cloud, client, name, resource)
    attributes = {
        "Arn": f"arn:aws:s3:::{name}",
        "DomainName": f"{name}.s3.amazonaws.com",
        "RegionalDomainName": f"{name}.s3.{cloud.region}.amazonaws.com",
    }
    return Physical(name, attributes)


def _configure(cloud: Cloud, client: Any, name: str, resource: Resource) -> None:
    versioning = resource.properties.get("VersioningConfiguration")
    if versioning:
        client.put_bucket_versioning(Bucket=name, VersioningConfiguration=versioning)
    key, bucket_key = _default_key(resource)
    cloud.iam.put_bucket_key(name, key, bucket_key_enabled=bucket_key)
    told = _event_bridge_only(resource, resource.properties.get("NotificationConfiguration", {}))
    client.put_bucket_notification_configuration(Bucket=name, NotificationConfiguration=told)


def _refuse_encrypted_log_bucket(cloud: Cloud, resource: Resource) -> None:
    """Raise TemplateError where S3 would deliver no access logs: to a bucket under a KMS key.

    "You can use default bucket encryption on the destination bucket only if you use … SSE-S3":
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-server-access-logging.html
    """
    target = resource.properties.get("LoggingConfiguration", {}).get("DestinationBucketName")
    if target and cloud.iam.key_of(f"arn:aws:s3:::{target}"):
        raise TemplateError(
            f"{resource.stack}: {resource.logical_id}: LoggingConfiguration.DestinationBucketName: {target} is "
            "under a KMS key, and S3 delivers no access logs to such a bucket. Give it SSE-S3 (AES256)."
        )


def _default_key(resource: Resource) -> tuple[str | None, bool]:
    """The KMS key of new objects, if any, and whether the bucket uses a Bucket Key."""
    rules = resource.properties.get("BucketEncryption", {}).get("ServerSideEncryptionConfiguration", [])
    for rule in rules:
        default = rule.get("ServerSideEncryptionByDefault", {})
        if default.get("SSEAlgorithm") == "aws:kms":
            return str(default["KMSMasterKeyID"]), bool(rule.get("BucketKeyEnabled", False))
    return None, False


def _event_bridge_only(resource: Resource, notifications: dict[str, Any]) -> dict[str, Any]:
    if set(notifications) - {"EventBridgeConfiguration"}:
        raise TemplateError(
            f"{resource.stack}: {resource.logical_id}: the local cloud sends a bucket's notifications to EventBridge "
            "only."
        )
    on = notifications.get("EventBridgeConfiguration", {}).get("EventBridgeEnabled", False)
    return {"EventBridgeConfiguration": {}} if str(on).lower() == "true" else {}


def _remove_bucket_policy(cloud: Cloud, resource: Resource, physical: Physical) -> None:
    cloud.iam.put_resource_policy(f"arn:aws:s3:::{physical.id}", None)


@resource(
    "AWS::S3::BucketPolicy", Level.ENFORCED, "checked at each request to the bucket", remove=_remove_bucket_policy
)
def put_bucket_policy(cloud: Cloud, resource: Resource) -> Physical:
    """A bucket's policy."""
    resource.only("Bucket", "PolicyDocument")
    bucket = resource.required("Bucket")
    cloud.iam.put_resource_policy(f"arn:aws:s3:::{bucket}", resource.required("PolicyDocument"))
    return Physical(str(bucket), {"Policy": json.dumps(resource.properties["PolicyDocument"])})
