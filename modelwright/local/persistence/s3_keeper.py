"""Keeps S3 objects: written down before each answer, put back when their bucket is made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelwright.local.persistence.s3_events import S3Events
from modelwright.local.service import AwsError
from modelwright.local.store import garbage

if TYPE_CHECKING:
    from moto.s3.models import S3Backend

    from modelwright.local.cloud import Cloud
    from modelwright.local.service import Call

KIND = "s3-object"
"""documents `<bucket>/<key>` -> {"versions": […]}, oldest first"""


class S3Keeper:
    """Keeps objects with versions, delete markers, metadata, tags and access lists (`persistence.hooks.Keeper`).

    Uploads in parts that were not completed are not kept: after a restart they are gone, as if aborted.
    """

    writes = frozenset(
        {
            "CompleteMultipartUpload",
            "CopyObject",
            "CreateBucket",
            "DeleteBucket",
            "DeleteObject",
            "DeleteObjectTagging",
            "DeleteObjects",
            "PutObject",
            "PutObjectAcl",
            "PutObjectLegalHold",
            "PutObjectRetention",
            "PutObjectTagging",
        }
    )
    configuration = frozenset(
        {
            "AbortMultipartUpload",
            "CreateMultipartUpload",
            "DeleteBucketAnalyticsConfiguration",
            "DeleteBucketCors",
            "DeleteBucketEncryption",
            "DeleteBucketIntelligentTieringConfiguration",
            "DeleteBucketInventoryConfiguration",
            "DeleteBucketLifecycle",
            "DeleteBucketMetricsConfiguration",
            "DeleteBucketOwnershipControls",
            "DeleteBucketPolicy",
            "DeleteBucketReplication",
            "DeleteBucketTagging",
            "DeleteBucketWebsite",
            "DeletePublicAccessBlock",
            "PutBucketAccelerateConfiguration",
            "PutBucketAcl",
            "PutBucketAnalyticsConfiguration",
            "PutBucketCors",
            "PutBucketEncryption",
            "PutBucketIntelligentTieringConfiguration",
            "PutBucketInventoryConfiguration",
            "PutBucketLifecycle",
            "PutBucketLifecycleConfiguration",
            "PutBucketLogging",
            "PutBucketMetricsConfiguration",
            "PutBucketNotification",
            "PutBucketNotificationConfiguration",
            "PutBucketOwnershipControls",
            "PutBucketPolicy",
            "PutBucketReplication",
            "PutBucketRequestPayment",
            "PutBucketTagging",
            "PutBucketVersioning",
            "PutBucketWebsite",
            "PutObjectLockConfiguration",
            "PutPublicAccessBlock",
            "UploadPart",
            "UploadPartCopy",
        }
    )

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._events = S3Events(cloud)

    def check(self, call: Call) -> None:
        """Refuse notifications to where moto would send them without anybody there."""
        from modelwright.local.persistence import s3_join  # noqa: F401, PLC0415  # changes moto's S3; see s3_backend
        from modelwright.local.persistence.s3_bytes import begin  # noqa: PLC0415

        self._events.begin(call.operation)
        begin(call.operation, self._cloud.objects)
        wanted = call.params.get("NotificationConfiguration") or {}
        for kind in ("LambdaFunctionConfigurations", "QueueConfigurations", "TopicConfigurations"):
            if wanted.get(kind):
                raise AwsError(
                    "NotImplemented",
                    f"s3:{call.operation}: the local cloud has no {kind}; use EventBridgeConfiguration and a rule",
                    501,
                )

    def finished(self) -> None:
        """Send the notifications of what was written down."""
        self._events.flush()

    def after(self, call: Call) -> None:
        """Write down the keys that the call named, as moto holds them now."""
        bucket = call.params["Bucket"]
        if call.operation == "CreateBucket":
            self.restore(bucket)
        elif call.operation == "DeleteBucket":
            self._cloud.database.delete_all(KIND, f"{bucket}/")
        elif call.operation == "DeleteObjects":
            self.keep(bucket, sorted({each["Key"] for each in call.params["Delete"]["Objects"]}))
        else:
            self.keep(bucket, [call.params["Key"]])

    def keep(self, bucket_name: str, keys: list[str]) -> None:
        """Write down these keys of a bucket, all or none."""
        from modelwright.local.persistence.s3_bytes import on_their_way  # noqa: PLC0415  # see s3_backend
        from modelwright.local.persistence.s3_keys import describe  # noqa: PLC0415

        backend = s3_backend(self._cloud)
        bucket = backend.get_bucket(bucket_name)
        held = {key: bucket.keys.getlist(key, []) for key in keys}
        coming = [each for versions in held.values() for each in on_their_way(versions)]
        garbage.note(self._cloud.database, coming)  # a crash before they are named leaves what the next start removes
        bodies = {key: [describe(backend, self._cloud.objects, each) for each in held[key]] for key in keys}
        with self._cloud.database.transaction():
            for key, versions in bodies.items():
                self._put(f"{bucket_name}/{key}", versions)
            garbage.forget(self._cloud.database, coming)

    def _put(self, name: str, versions: list[dict[str, Any]]) -> None:
        before = self._cloud.database.get(KIND, name)
        if before is not None:
            kept = {each.get("sha256") for each in versions}
            gone = {each["sha256"] for each in before["versions"] if "sha256" in each} - kept
            garbage.note(self._cloud.database, sorted(gone))
        if versions:
            self._cloud.database.put(KIND, name, {"versions": versions})
        else:
            self._cloud.database.delete(KIND, name)

    def restore(self, bucket_name: str) -> None:
        """Put back what a bucket of this name held before the last stop."""
        from modelwright.local.persistence.s3_keys import rebuild  # noqa: PLC0415  # see s3_backend

        backend = s3_backend(self._cloud)
        bucket = backend.get_bucket(bucket_name)
        prefix = f"{bucket_name}/"
        for name, body in self._cloud.database.all(KIND, prefix):
            key = name.removeprefix(prefix)
            if key not in bucket.keys:
                versions = [rebuild(backend, self._cloud.objects, bucket_name, key, each) for each in body["versions"]]
                bucket.keys.setlist(key, versions)


def s3_backend(cloud: Cloud) -> S3Backend:
    """Return moto's S3 of this account; moto is imported when it is first asked for: a start has no time to lose."""
    from moto.s3.models import s3_backends  # noqa: PLC0415

    return s3_backends[cloud.account]["aws"]
