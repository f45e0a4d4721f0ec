"""S3 objects, kept: written down before each answer, put back when their bucket is made, and reachable as files."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modelwright.local.service import AwsError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from moto.s3.models import FakeBucket, S3Backend

    from modelwright.local.cloud import Cloud
    from modelwright.local.http import HttpResponse
    from modelwright.local.service import Call

KIND = "s3-object"
"""documents `<bucket>/<key>` -> {"versions": […]}, oldest first"""


@dataclass(frozen=True)
class StoredObject:
    """An object's current version."""

    key: str
    size: int
    etag: str
    path: Path
    """Its bytes; read-only, shared with every object of the same content: never write to it."""
    metadata: Mapping[str, str]
    kms_key_id: str | None


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

    def after(self, call: Call, _response: HttpResponse) -> None:
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
        from modelwright.local.persistence.s3_keys import describe

        backend = s3_backend(self._cloud)
        bucket = backend.get_bucket(bucket_name)
        with self._cloud.database.transaction():
            for key in keys:
                versions = bucket.keys.getlist(key, [])
                if versions:
                    body = {"versions": [describe(backend, self._cloud.objects, each) for each in versions]}
                    self._cloud.database.put(KIND, f"{bucket_name}/{key}", body)
                else:
                    self._cloud.database.delete(KIND, f"{bucket_name}/{key}")

    def restore(self, bucket_name: str) -> None:
        """Put back what a bucket of this name held before the last stop."""
        from modelwright.local.persistence.s3_keys import rebuild

        backend = s3_backend(self._cloud)
        bucket = backend.get_bucket(bucket_name)
        prefix = f"{bucket_name}/"
        for name, body in self._cloud.database.all(KIND, prefix):
            key = name.removeprefix(prefix)
            if key not in bucket.keys:
                versions = [rebuild(backend, self._cloud.objects, bucket_name, key, each) for each in body["versions"]]
                bucket.keys.setlist(key, versions)


class S3Files:
    """S3 objects as files, for the local cloud's own services. Whoever calls has asked `cloud.authorize` before."""

    def __init__(self, cloud: Cloud, keeper: S3Keeper, turn: AbstractContextManager[Any]) -> None:
        self._cloud = cloud
        self._keeper = keeper
        self._turn = turn

    def resolve(self, bucket: str, key: str, version: str | None = None) -> Path:
        """The file that holds an object's bytes; AwsError NoSuchBucket, NoSuchKey or NoSuchVersion (404)."""
        if version is None:
            return self.head(bucket, key).path
        for each in self._bucket(bucket).keys.getlist(key, []):
            if each.version_id == version and hasattr(each, "contentsize"):
                return self._stored(each).path
        raise AwsError("NoSuchVersion", f"s3://{bucket}/{key} has no version {version}", 404)

    def head(self, bucket: str, key: str) -> StoredObject:
        """An object's current version; AwsError NoSuchBucket or NoSuchKey (404)."""
        found = self._bucket(bucket).keys.get(key)
        if found is None or not hasattr(found, "contentsize"):
            raise AwsError("NoSuchKey", f"s3://{bucket}/{key} does not exist", 404)
        return self._stored(found)

    def list(self, bucket: str, prefix: str = "") -> list[StoredObject]:
        """The current objects whose keys begin with `prefix`, by key; AwsError NoSuchBucket (404)."""
        keys = dict(self._bucket(bucket).keys)
        current = [versions[-1] for key, versions in sorted(keys.items()) if key.startswith(prefix) and versions]
        return [self._stored(each) for each in current if hasattr(each, "contentsize")]

    def store(self, bucket: str, key: str, path: Path, *, metadata: Mapping[str, str] | None = None) -> StoredObject:
        """Make an object of a finished file, which is moved away: visible and kept at once.

        The bucket's default encryption and versioning apply, and its notifications are sent, as by PutObject.
        """
        with path.open("rb") as source:
            etag = hashlib.file_digest(source, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
        size = path.stat().st_size
        return self._store(bucket, key, self._cloud.objects.adopt(path), etag, size, dict(metadata or {}))

    def delete_all(self, bucket: str) -> int:
        """Delete every version of every object of a bucket, and return how many keys there were."""
        with self._turn:
            found = self._bucket(bucket)
            keys = sorted(dict(found.keys))
            for key in keys:
                found.keys.pop(key)
            self._keeper.keep(bucket, keys)
        return len(keys)

    def _store(
        self, bucket: str, key: str, sha256: str, etag: str, size: int, metadata: dict[str, str]
    ) -> StoredObject:
        from moto.s3 import notifications

        from modelwright.local.persistence.s3_keys import point_to_store

        with self._turn:
            self._bucket(bucket)
            backend = s3_backend(self._cloud)
            made = backend.put_object(bucket, key, b"", etag=etag, disable_notification=True)
            point_to_store(made, self._cloud.objects, sha256, size)
            made.set_metadata(metadata)
            self._keeper.keep(bucket, [key])
            event = notifications.S3NotificationEvent.OBJECT_CREATED_PUT_EVENT
            notifications.send_event(self._cloud.account, event, backend.get_bucket(bucket), made)
        return self._stored(made)

    def _bucket(self, name: str) -> FakeBucket:
        found = s3_backend(self._cloud).buckets.get(name)
        if found is None:
            raise AwsError("NoSuchBucket", f"the bucket {name} does not exist", 404)
        return found

    def _stored(self, version: Any) -> StoredObject:
        from modelwright.local.persistence.s3_keys import into_store

        path = self._cloud.objects.path(into_store(version, self._cloud.objects))
        return StoredObject(
            version.name, version.contentsize, version.etag.strip('"'), path, dict(version.metadata), version.kms_key_id
        )


def s3_backend(cloud: Cloud) -> S3Backend:
    """Moto's S3 of this account; imported when it is first asked for."""
    from moto.s3.models import s3_backends

    return s3_backends[cloud.account]["aws"]
