"""Objects by their `s3://` address."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from shared.clients import error_code

MAX_MANIFEST_BYTES = 1024 * 1024  # of a release: a smoke test of 64 KiB and settings


@dataclass(frozen=True)
class Location:
    """A bucket and a key."""

    bucket: str
    key: str

    @classmethod
    def from_uri(cls, uri: str) -> Location:
        """Split `s3://bucket/key`."""
        scheme, _, rest = uri.partition("://")
        bucket, _, key = rest.partition("/")
        if scheme != "s3" or not bucket or not key:
            raise ValueError(f"{uri!r} is no S3 address; it must be s3://<bucket>/<key>.")
        return cls(bucket, key)

    @property
    def uri(self) -> str:
        """The address."""
        return f"s3://{self.bucket}/{self.key}"


def read_object(s3: Any, location: Location, *, max_bytes: int) -> bytes | None:
    """The object's content, or None when it does not exist. A larger one than `max_bytes` is an error."""
    try:
        answer = s3.get_object(Bucket=location.bucket, Key=location.key)
    except ClientError as error:
        if error_code(error) in {"NoSuchKey", "404"}:
            return None
        raise
    if answer["ContentLength"] > max_bytes:
        raise ValueError(f"{location.uri} has {answer['ContentLength']} bytes; at most {max_bytes} are allowed here.")
    content: bytes = answer["Body"].read()
    return content
