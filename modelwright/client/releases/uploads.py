"""Putting content-addressed objects into S3: what is there already is not sent again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_THREADS = 8
_ALONE = 2  # so few uploads are done before threads have started


class S3(Protocol):
    """The calls of boto3's S3 client that releases need."""

    def put_object(self, *, Bucket: str, Key: str, Body: bytes | BinaryIO, ContentType: str) -> Any:  # noqa: N803 # AWS's own names
        """Write an object."""

    def list_objects_v2(self, **request: Any) -> Any:
        """Return at most 1000 of the objects with a prefix."""


@dataclass(frozen=True)
class Upload:
    """One object that has to be in S3. Its key holds its content's hash, so what is there is right."""

    bucket: str
    key: str
    body: bytes | Path
    content_type: str = "application/octet-stream"


def exists(s3: S3, bucket: str, key: str) -> bool:
    """Tell whether an object is there.

    It is asked for by listing: whoever publishes needs no right to read, and a listing shows what was written before.
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/Welcome.html#ConsistencyModel
    """
    found = s3.list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=1)
    return any(entry["Key"] == key for entry in found.get("Contents", ()))


def put(s3: S3, upload: Upload) -> None:
    """Write one object; a file is read as it is sent."""
    about: dict[str, str] = {"Bucket": upload.bucket, "Key": upload.key, "ContentType": upload.content_type}
    if isinstance(upload.body, bytes):
        s3.put_object(Body=upload.body, **about)
        return
    with upload.body.open("rb") as stream:
        s3.put_object(Body=stream, **about)


def put_missing(s3: S3, uploads: Sequence[Upload], prefix: str = "") -> int:
    """Write those of `uploads` that are not there, and return how many; all are of one bucket.

    With a `prefix` that they share, one listing tells which are there; else each is asked for.
    """
    if not uploads:
        return 0
    bucket = uploads[0].bucket
    if prefix:
        there = set(_keys(s3, bucket, prefix))
        missing = [upload for upload in uploads if upload.key not in there]
    else:
        missing = [upload for upload in uploads if not exists(s3, bucket, upload.key)]
    put_all(s3, missing)
    return len(missing)


def put_all(s3: S3, uploads: Sequence[Upload]) -> None:
    """Write all of `uploads`, several at a time; the first failure is raised once none is under way."""
    if len(uploads) <= _ALONE:
        for upload in uploads:
            put(s3, upload)
        return
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 # most releases upload nothing

    with ThreadPoolExecutor(_THREADS) as threads:
        for done in [threads.submit(put, s3, upload) for upload in uploads]:
            done.result()


def _keys(s3: S3, bucket: str, prefix: str) -> Iterator[str]:
    request: dict[str, Any] = {"Bucket": bucket, "Prefix": prefix}
    while True:
        page = s3.list_objects_v2(**request)
        yield from (entry["Key"] for entry in page.get("Contents", ()))
        if not page.get("IsTruncated"):
            return
        request["ContinuationToken"] = page["NextContinuationToken"]
