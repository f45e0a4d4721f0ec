"""New data: from the object that says that a folder is complete to what the run uses. Pure."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Marker:
    """The object that started the run: its bucket, its key, and what names this one writing of it."""

    bucket: str
    key: str
    version: str | None

    @property
    def uri(self) -> str:
        """Where it lies."""
        return f"s3://{self.bucket}/{self.key}"

    @property
    def folder(self) -> str:
        """What it completes: everything beside it and below."""
        return self.uri.rpartition("/")[0] + "/"

    def event_id(self, event: str) -> str:
        """What names the event once: the object's version, however often S3 or EventBridge tell of it."""
        if self.version is None:
            return event
        return hashlib.sha256(f"{self.uri}#{self.version}".encode()).hexdigest()


def read_marker(trigger: dict[str, Any]) -> Marker | None:
    """The marker as S3 describes it in `trigger.bucket` and `trigger.object`; None for another trigger.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html. A bucket without versions tells of none or of
    `null`; `sequencer` is another with each writing. The key is as it is, not URL-encoded as in S3's own notifications:
    https://github.com/aws-solutions-library-samples/guidance-for-medialake-on-aws/pull/21
    """
    found, bucket = trigger.get("object"), trigger.get("bucket")
    if not isinstance(found, dict) or not isinstance(bucket, dict):
        return None
    version = found.get("version-id")
    if version in {None, "", "null"}:
        version = found.get("sequencer") or None
    return Marker(str(bucket.get("name", "")), str(found.get("key", "")), version and str(version))


def marker_problem(trigger: dict[str, Any], data: object, watched: str) -> str | None:
    """What is wrong with the trigger's object, if there is one."""
    if "object" not in trigger and "bucket" not in trigger:
        return None
    marker = read_marker(trigger)
    if marker is None or not marker.bucket or not marker.key:
        return "trigger.bucket and trigger.object must be what S3 tells of a new object"
    if trigger.get("kind") != "data":
        return f"trigger.object is for trigger.kind 'data', which is {trigger.get('kind')!r}"
    if data is not None:
        return "data stands beside trigger.object, whose folder is the data"
    if not marker.uri.startswith(watched):
        return f"trigger.object is {marker.uri}, it must be under {watched}, which the pipeline watches"
    return None
