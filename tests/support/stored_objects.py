"""An object as S3 answers it."""

from __future__ import annotations


def described(s3, key: str, **which: str) -> dict:
    found = s3.get_object(Bucket="bucket", Key=key, **which)
    body = found.pop("Body").read()
    found["ResponseMetadata"] = None
    return {**found, "body": body}
