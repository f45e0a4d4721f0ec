"""One S3 object version as moto holds it, to a document and back; its bytes lie in the object store."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from moto.s3.models import FakeAcl, FakeDeleteMarker, FakeGrant, FakeGrantee, FakeKey

from modelwright.local.persistence.s3_bytes import FileBuffer, StoredBuffer

if TYPE_CHECKING:
    from moto.s3.models import S3Backend

    from modelwright.local.store.objects import ObjectStore

_PLAIN = (
    "website_redirect_location",
    "checksum_algorithm",
    "checksum_value",
    "checksum_type",
    "checksum_parts",
    "encryption",
    "kms_key_id",
    "bucket_key_enabled",
    "lock_mode",
    "lock_legal_status",
    "lock_until",
)
"""attributes that are JSON values as they are"""


def describe(backend: S3Backend, objects: ObjectStore, version: Any) -> dict[str, Any]:
    """The document of a version; its bytes go to the object store now if they are not there yet."""
    if isinstance(version, FakeDeleteMarker):
        return {"marker": version.version_id, "at": _aware(version.last_modified)}
    etag = version.etag
    sha256 = into_store(version, objects)
    return {
        "sha256": sha256,
        "size": version.contentsize,
        "etag": etag.strip('"'),
        "at": _aware(version.last_modified),
        "version": version.version_id,
        "versioned": version._is_versioned,  # noqa: SLF001  # moto offers no way to ask
        "storage_class": version.storage_class,
        "metadata": dict(version.metadata),
        "acl": _acl_to_json(version.acl),
        "tags": backend.tagger.get_tag_dict_for_resource(version.arn),
        **{name: value for name in _PLAIN if (value := getattr(version, name)) is not None},
    }


def rebuild(backend: S3Backend, objects: ObjectStore, bucket: str, name: str, body: dict[str, Any]) -> Any:
    """The version that `describe` was given."""
    if "marker" in body:
        marker = FakeDeleteMarker(FakeKey(name, b"", backend.account_id, backend.region_name, bucket_name=bucket))
        marker._version_id, marker.last_modified = body["marker"], _naive(body["at"])  # noqa: SLF001
        return marker
    version = FakeKey(
        name,
        b"",
        backend.account_id,
        backend.region_name,
        storage=body["storage_class"],
        etag=body["etag"],
        is_versioned=body["versioned"],
        version_id=body["version"],
        bucket_name=bucket,
    )
    point_to_store(version, objects, body["sha256"], body["size"])
    version.last_modified = _naive(body["at"])
    version.set_metadata(dict(body["metadata"]), replace=False)
    version.acl = _acl_from_json(body["acl"])
    for attribute in _PLAIN:
        setattr(version, attribute, body.get(attribute))
    if body["tags"]:
        backend.tagger.tag_resource(version.arn, [{"Key": key, "Value": value} for key, value in body["tags"].items()])
    return version


def into_store(version: FakeKey, objects: ObjectStore) -> str:
    """Move a version's bytes from memory to the object store; their hash."""
    buffer = version._value_buffer  # noqa: SLF001  # the one place where moto keeps an object's bytes
    if isinstance(buffer, StoredBuffer):
        return buffer.sha256
    with version.lock:
        if isinstance(buffer, FileBuffer) and buffer.part.incoming is not None:
            sha256 = objects.take(buffer.part.incoming)
        else:
            buffer.seek(0)
            sha256 = objects.put_file(buffer)
    point_to_store(version, objects, sha256, version.contentsize)
    if version.multipart is not None:
        version.multipart.dispose()  # the parts' bytes are in the object now
        version.multipart = None
    return sha256


def point_to_store(version: FakeKey, objects: ObjectStore, sha256: str, size: int) -> None:
    """Let a version read its bytes from the object store."""
    version._value_buffer.close()  # noqa: SLF001
    version._value_buffer = StoredBuffer(objects, sha256)  # noqa: SLF001
    version.contentsize = size


def _acl_to_json(acl: FakeAcl | None) -> list[dict[str, Any]] | None:
    if acl is None:
        return None
    return [
        {
            "to": [{"id": to.id, "uri": to.uri, "display_name": to.display_name} for to in grant.grantees],
            "permissions": grant.permissions,
        }
        for grant in acl.grants
    ]


def _acl_from_json(grants: list[dict[str, Any]] | None) -> FakeAcl | None:
    if grants is None:
        return None
    return FakeAcl(
        [
            FakeGrant(
                [FakeGrantee(to["id"], to["uri"], to["display_name"]) for to in grant["to"]], grant["permissions"]
            )
            for grant in grants
        ]
    )


def _aware(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _naive(moment: datetime) -> datetime:
    """Moto's own times are naive and in UTC."""
    return moment.astimezone(UTC).replace(tzinfo=None)
