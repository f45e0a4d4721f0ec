"""S3's events to EventBridge: moto makes them, our EventBridge gets them, after the object was written down."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from modelwright.local.cloud import Cloud

_REASONS = {
    "ObjectCreated:Put": ("Object Created", "PutObject"),
    "ObjectCreated:Post": ("Object Created", "POST Object"),
    "ObjectCreated:Copy": ("Object Created", "CopyObject"),
    "ObjectCreated:CompleteMultipartUpload": ("Object Created", "CompleteMultipartUpload"),
    "ObjectRemoved:Delete": ("Object Deleted", "DeleteObject"),
    "ObjectRemoved:DeleteMarkerCreated": ("Object Deleted", "DeleteObject"),
    "ObjectTagging:Put": ("Object Tags Added", "PutObjectTagging"),
    "ObjectTagging:Delete": ("Object Tags Deleted", "DeleteObjectTagging"),
    "ObjectAcl:Put": ("Object ACL Updated", "PutObjectAcl"),
}
"""https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html"""

_ASKED_FOR = frozenset({"PutObjectTagging", "DeleteObjectTagging", "PutObjectAcl"})


class S3Events:
    """Takes moto's notifications to EventBridge (its one way there is a function of its module)."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._waiting = threading.local()

    def begin(self, operation: str) -> None:
        """Be where moto sends to (there is one cloud a process, except in tests), with nothing left over."""
        from moto.s3 import notifications  # noqa: PLC0415  # with the first S3 call, not with the start

        self._waiting.events, self._waiting.operation = [], operation
        notifications._send_event_bridge_message = self._take  # noqa: SLF001

    def flush(self) -> None:
        """Publish what this thread's call has caused."""
        events, self._waiting.events = getattr(self._waiting, "events", []), []
        for event in events:
            self._cloud.publish_event(event)

    def _take(self, _account: str, bucket: Any, name: Any, key: Any) -> None:
        kind, reason = _REASONS[str(name.value).removeprefix("s3:")]
        if reason in _ASKED_FOR and reason != getattr(self._waiting, "operation", None):
            return  # moto sets tags and grants with each PutObject, and tells so; AWS does not
        described = {"key": key.name, "sequencer": f"{time.time_ns():016X}"}
        if key.version_id and key.version_id != "null":  # a bucket that has never had versions tells of none
            described["version-id"] = key.version_id
        if kind != "Object Deleted":
            described |= {"size": key.size, "etag": key.etag.strip('"')}
        event = {
            "source": "aws.s3",
            "detail-type": kind,
            "resources": [bucket.arn],
            "detail": {
                "version": "0",
                "bucket": {"name": bucket.name},
                "object": described,
                "requester": self._cloud.account,
                "reason": reason,
            },
        }
        self._waiting.events = [*getattr(self._waiting, "events", []), event]
