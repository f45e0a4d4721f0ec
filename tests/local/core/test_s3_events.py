"""S3's events: who is told, when, and of what."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from pathlib import Path


def test_events_go_to_our_event_bridge_after_the_object_is_kept(restart, tmp_path: Path) -> None:
    cloud, s3 = restart()
    kept: list[bool] = []
    events = cloud.services["events"]
    events.publish = lambda event: (
        kept.append(cloud.database.get("s3-object", "bucket/k") is not None),
        events.published.append(event),
    )
    s3.put_bucket_notification_configuration(
        Bucket="bucket", NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    s3.put_object(Bucket="bucket", Key="k", Body=b"12345")
    (event,) = events.published
    assert kept == [True]
    assert (event["source"], event["detail-type"], event["resources"]) == (
        "aws.s3",
        "Object Created",
        ["arn:aws:s3:::bucket"],
    )
    assert len(event["detail"]["object"].pop("sequencer")) == 16
    assert event["detail"]["object"] == {
        "key": "k",
        "size": 5,
        "etag": "827ccb0eea8a706c4c34a16891f84e7b",
    }
    (tmp_path / "f").write_bytes(b"1")
    cloud.s3.store("bucket", "stored", tmp_path / "f")
    s3.delete_object(Bucket="bucket", Key="k")
    assert [each["detail"]["reason"] for each in events.published] == ["PutObject", "PutObject", "DeleteObject"]
    assert events.published[1]["detail"]["object"]["size"] == 1


def test_a_bucket_tells_nothing_unless_it_is_asked_to(restart) -> None:
    cloud, s3 = restart()
    s3.put_object(Bucket="bucket", Key="before", Body=b"1")
    s3.put_bucket_notification_configuration(
        Bucket="bucket", NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    s3.put_bucket_versioning(Bucket="bucket", VersioningConfiguration={"Status": "Enabled"})
    version = s3.put_object(Bucket="bucket", Key="asked", Body=b"1")["VersionId"]
    s3.put_bucket_notification_configuration(Bucket="bucket", NotificationConfiguration={})
    s3.put_object(Bucket="bucket", Key="after", Body=b"1")
    (event,) = cloud.services["events"].published
    assert (event["detail"]["object"]["key"], event["detail"]["object"]["version-id"]) == ("asked", version)


def test_a_key_is_told_as_it_is(restart) -> None:
    """Unlike in S3's own notifications, where a space is a plus: it is the key that GetObject takes."""
    cloud, s3 = restart()
    s3.put_bucket_notification_configuration(
        Bucket="bucket", NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    key = 'in/a "b"+%20 ü\\/_SUCCESS'
    s3.put_object(Bucket="bucket", Key=key, Body=b"")
    (event,) = cloud.services["events"].published
    assert event["detail"]["object"]["key"] == key


def test_notifications_to_where_nobody_is_are_refused(restart) -> None:
    _, s3 = restart()
    queue = {"QueueArn": "arn:aws:sqs:eu-central-1:123456789012:q", "Events": ["s3:ObjectCreated:*"]}
    with pytest.raises(ClientError, match="has no QueueConfigurations; use EventBridgeConfiguration"):
        s3.put_bucket_notification_configuration(
            Bucket="bucket", NotificationConfiguration={"QueueConfigurations": [queue]}
        )
