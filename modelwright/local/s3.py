"""S3 objects as files: what a job reads is linked to where it lies, what it writes is moved there."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from modelwright.local.persistence.s3_keeper import KIND, s3_backend
from modelwright.local.service import AwsError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from modelwright.local.cloud import Cloud
    from modelwright.local.persistence.s3_keeper import S3Keeper

_USER = "x-amz-meta-"
"""how moto tells a user's metadata from content type and the like"""


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
    sha256: str


@dataclass(frozen=True)
class Digests:
    """What whoever wrote a file has computed of its bytes."""

    md5: str
    sha256: str


@dataclass(frozen=True)
class About:
    """What is known of a file that becomes an object."""

    digests: Digests | None = None
    kms_key_arn: str | None = None
    """the key that it is encrypted with; None: the bucket's own"""


@dataclass(frozen=True)
class _Content:
    sha256: str
    etag: str
    size: int


class S3Files:
    """S3 objects as files, for the local cloud's own services. Whoever calls has asked `cloud.authorize` before.

    Reads are answered from what was written down, so they work before the template has made the buckets again.
    """

    def __init__(self, cloud: Cloud, keeper: S3Keeper, turn: AbstractContextManager[Any]) -> None:
        self._cloud = cloud
        self._keeper = keeper
        self._turn = turn

    def resolve(self, bucket: str, key: str, version: str | None = None) -> Path:
        """The file that holds an object's bytes; AwsError NoSuchBucket, NoSuchKey or NoSuchVersion (404)."""
        if version is None:
            return self.head(bucket, key).path
        for each in self._versions(bucket, key):
            if each.get("version") == version:
                return self._stored(key, each).path
        raise AwsError("NoSuchVersion", f"s3://{bucket}/{key} has no version {version}", 404)

    def head(self, bucket: str, key: str) -> StoredObject:
        """An object's current version; AwsError NoSuchBucket or NoSuchKey (404)."""
        versions = self._versions(bucket, key)
        if not versions or "marker" in versions[-1]:
            self._check_bucket(bucket)
            raise AwsError("NoSuchKey", f"s3://{bucket}/{key} does not exist", 404)
        return self._stored(key, versions[-1])

    def list(self, bucket: str, prefix: str = "") -> list[StoredObject]:
        """The current objects whose keys begin with `prefix`, by key; AwsError NoSuchBucket (404)."""
        start = f"{bucket}/"
        found = self._cloud.database.all(KIND, start + prefix)
        if not found:
            self._check_bucket(bucket)
        current = ((name.removeprefix(start), body["versions"][-1]) for name, body in found)
        return [self._stored(key, version) for key, version in current if "marker" not in version]

    def store(
        self,
        bucket: str,
        key: str,
        path: Path,
        *,
        metadata: Mapping[str, str] | None = None,
        about: About | None = None,
    ) -> StoredObject:
        """Make an object of a finished file, which is moved away: visible and kept at once.

        The bucket's default encryption and versioning apply, and its notifications are sent, as by PutObject.
        AwsError NoSuchBucket (404).
        """
        self._check_bucket(bucket, made=True)
        digests, kms_key = (about.digests, about.kms_key_arn) if about else (None, None)
        etag = digests.md5 if digests else _md5(path)
        size = path.stat().st_size
        content = _Content(self._cloud.objects.adopt(path, digests.sha256 if digests else None), etag, size)
        with self._turn:
            named = {_USER + name: value for name, value in (metadata or {}).items()}
            self._put(bucket, key, content, named, kms_key)
        self._keeper.finished()
        return self.head(bucket, key)

    def delete_all(self, bucket: str) -> int:
        """Delete every version of every object of a bucket, and return how many keys there were."""
        self._check_bucket(bucket, made=True)
        with self._turn:
            held = s3_backend(self._cloud).get_bucket(bucket).keys
            keys = sorted(dict(held))
            for key in keys:
                held.setlist(key, [])
                dict.pop(held, key)
            self._keeper.keep(bucket, keys)
        return len(keys)

    def _put(self, bucket: str, key: str, content: _Content, metadata: dict[str, str], kms_key: str | None) -> None:
        from moto.s3 import notifications  # noqa: PLC0415  # see s3_backend

        from modelwright.local.persistence.s3_keys import point_to_store  # noqa: PLC0415

        backend = s3_backend(self._cloud)
        named = {"encryption": "aws:kms", "kms_key_id": kms_key} if kms_key else {}
        made = backend.put_object(bucket, key, b"", etag=content.etag, disable_notification=True, **named)
        point_to_store(made, self._cloud.objects, content.sha256, content.size)
        made.set_metadata(metadata)
        self._keeper.keep(bucket, [key])
        event = notifications.S3NotificationEvent.OBJECT_CREATED_PUT_EVENT
        notifications.send_event(self._cloud.account, event, backend.get_bucket(bucket), made)

    def _versions(self, bucket: str, key: str) -> Sequence[dict[str, Any]]:
        body = self._cloud.database.get(KIND, f"{bucket}/{key}")
        return cast("Sequence[dict[str, Any]]", body["versions"]) if body else ()

    def _check_bucket(self, bucket: str, *, made: bool = False) -> None:
        """Raise NoSuchBucket; unless `made`, one that held objects and is not made again yet will do."""
        if bucket in s3_backend(self._cloud).buckets or (not made and self._cloud.database.all(KIND, f"{bucket}/")):
            return
        raise AwsError("NoSuchBucket", f"the bucket {bucket} does not exist", 404)

    def _stored(self, key: str, version: Mapping[str, Any]) -> StoredObject:
        path = self._cloud.objects.path(version["sha256"])
        metadata = {
            name.removeprefix(_USER): value for name, value in version["metadata"].items() if name.startswith(_USER)
        }
        return StoredObject(
            key,
            version["size"],
            version["etag"],
            path,
            metadata,
            version.get("kms_key_id"),
            version["sha256"],
        )


def _md5(path: Path) -> str:
    with path.open("rb") as source:
        return hashlib.file_digest(source, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
