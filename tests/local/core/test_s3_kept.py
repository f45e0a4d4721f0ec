from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from modelwright.errors import StateUnusable
from modelwright.local.cloud import Cloud
from modelwright.local.persistence.hooks import _READS
from modelwright.local.persistence.s3_keeper import S3Keeper
from modelwright.local.service import AwsError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def restart(make_cloud):
    """A started cloud with the bucket `bucket`; called again, the cloud after a restart with the bucket made again."""

    def start(versioned: bool = False):
        cloud = make_cloud()
        s3 = cloud.client("s3")
        s3.create_bucket(Bucket="bucket", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        if versioned:
            s3.put_bucket_versioning(Bucket="bucket", VersioningConfiguration={"Status": "Enabled"})
        return cloud, s3

    return start


def described(s3, key: str, **which: str) -> dict:
    found = s3.get_object(Bucket="bucket", Key=key, **which)
    body = found.pop("Body").read()
    found["ResponseMetadata"] = None
    return {**found, "body": body}


def test_an_object_comes_back_as_it_was(restart) -> None:
    _, s3 = restart()
    s3.put_object(
        Bucket="bucket",
        Key="a b/ü//c",
        Body=b"hello",
        ContentType="text/plain",
        Metadata={"who": "me"},
        CacheControl="no-store",
        ServerSideEncryption="aws:kms",
        SSEKMSKeyId="arn:aws:kms:eu-central-1:123456789012:key/1",
        Tagging="x=1&y=2",
        ChecksumAlgorithm="SHA256",
        ACL="public-read",
    )
    before = described(s3, "a b/ü//c"), s3.get_object_acl(Bucket="bucket", Key="a b/ü//c")["Grants"]
    _, s3 = restart()
    assert (described(s3, "a b/ü//c"), s3.get_object_acl(Bucket="bucket", Key="a b/ü//c")["Grants"]) == before
    assert before[0]["body"] == b"hello"
    assert before[0]["Metadata"] == {"who": "me"}
    tags = s3.get_object_tagging(Bucket="bucket", Key="a b/ü//c")["TagSet"]
    assert tags == [{"Key": "x", "Value": "1"}, {"Key": "y", "Value": "2"}]
    checksum = s3.get_object(Bucket="bucket", Key="a b/ü//c", ChecksumMode="ENABLED")["ChecksumSHA256"]
    assert checksum == "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ="


def test_versions_and_delete_markers_come_back_in_order(restart) -> None:
    _, s3 = restart(versioned=True)
    first = s3.put_object(Bucket="bucket", Key="k", Body=b"1")["VersionId"]
    second = s3.put_object(Bucket="bucket", Key="k", Body=b"2")["VersionId"]
    marker = s3.delete_object(Bucket="bucket", Key="k")["VersionId"]
    cloud, s3 = restart(versioned=True)
    with pytest.raises(ClientError, match="NoSuchKey"):
        s3.get_object(Bucket="bucket", Key="k")
    assert [described(s3, "k", VersionId=each)["body"] for each in (first, second)] == [b"1", b"2"]
    with pytest.raises(AwsError, match="NoSuchKey"):
        cloud.s3.resolve("bucket", "k")
    assert cloud.s3.resolve("bucket", "k", first).read_bytes() == b"1"
    s3.delete_object(Bucket="bucket", Key="k", VersionId=marker)
    _, s3 = restart(versioned=True)
    assert described(s3, "k")["body"] == b"2"


def test_every_way_to_write_is_kept(restart) -> None:
    _, s3 = restart()
    s3.put_object(Bucket="bucket", Key="a", Body=b"a")
    s3.copy_object(Bucket="bucket", Key="copied", CopySource={"Bucket": "bucket", "Key": "a"})
    upload = s3.create_multipart_upload(Bucket="bucket", Key="parts")["UploadId"]
    parts = [b"x" * (5 << 20), b"y"]
    tags = [
        s3.upload_part(Bucket="bucket", Key="parts", UploadId=upload, PartNumber=number, Body=part)["ETag"]
        for number, part in enumerate(parts, start=1)
    ]
    done = {"Parts": [{"ETag": tag, "PartNumber": number} for number, tag in enumerate(tags, start=1)]}
    etag = s3.complete_multipart_upload(Bucket="bucket", Key="parts", UploadId=upload, MultipartUpload=done)["ETag"]
    s3.put_object_tagging(Bucket="bucket", Key="a", Tagging={"TagSet": [{"Key": "t", "Value": "1"}]})
    s3.upload_fileobj(io.BytesIO(b"z" * (20 << 20)), "bucket", "managed")
    _, s3 = restart()
    assert described(s3, "copied")["body"] == b"a"
    assert described(s3, "parts")["body"] == b"".join(parts)
    assert described(s3, "parts")["ETag"] == etag
    assert etag.endswith('-2"')
    assert described(s3, "managed")["ContentLength"] == 20 << 20
    assert s3.get_object_tagging(Bucket="bucket", Key="a")["TagSet"] == [{"Key": "t", "Value": "1"}]


def test_every_way_to_delete_is_kept(restart) -> None:
    cloud, s3 = restart()
    for key in "abcd":
        s3.put_object(Bucket="bucket", Key=key, Body=b"1")
    s3.put_object(Bucket="bucket", Key="d", Body=b"2")
    s3.delete_object(Bucket="bucket", Key="a")
    s3.delete_objects(Bucket="bucket", Delete={"Objects": [{"Key": "b"}, {"Key": "c"}]})
    cloud, s3 = restart()
    assert [each["Key"] for each in s3.list_objects_v2(Bucket="bucket")["Contents"]] == ["d"]
    assert described(s3, "d")["body"] == b"2"
    assert cloud.s3.delete_all("bucket") == 1
    s3.delete_bucket(Bucket="bucket")
    assert cloud.database.all("s3-object") == []
    _, s3 = restart()
    assert s3.list_objects_v2(Bucket="bucket")["KeyCount"] == 0


def test_ranges_and_conditions_are_answered_from_the_file(restart) -> None:
    restart()[1].put_object(Bucket="bucket", Key="k", Body=bytes(range(100)))
    _, s3 = restart()
    assert s3.get_object(Bucket="bucket", Key="k", Range="bytes=10-19")["Body"].read() == bytes(range(10, 20))
    assert s3.head_object(Bucket="bucket", Key="k")["ContentLength"] == 100
    with pytest.raises(ClientError, match="PreconditionFailed"):
        s3.put_object(Bucket="bucket", Key="k", Body=b"", IfNoneMatch="*")


def test_equal_content_is_stored_once_and_leaves_memory(restart) -> None:
    cloud, s3 = restart()
    for key in "abc":
        s3.put_object(Bucket="bucket", Key=key, Body=b"same")
    assert len(cloud.objects.hashes()) == 1
    assert len({each.path for each in cloud.s3.list("bucket")}) == 1


def test_content_that_nothing_names_any_more_is_removed_at_the_end(restart) -> None:
    cloud, s3 = restart()
    for key, body in {"a": b"shared", "b": b"shared", "c": b"old"}.items():
        s3.put_object(Bucket="bucket", Key=key, Body=body)
    s3.put_object(Bucket="bucket", Key="c", Body=b"new")
    s3.delete_object(Bucket="bucket", Key="a")
    assert len(cloud.objects.hashes()) == 3
    cloud, s3 = restart()
    assert [cloud.objects.read(each) for each in cloud.objects.hashes()] in ([b"shared", b"new"], [b"new", b"shared"])
    cloud.s3.delete_all("bucket")
    cloud, _ = restart()
    assert cloud.objects.hashes() == []


def test_files_are_seen_before_the_bucket_is_made_again(restart, make_cloud) -> None:
    restart()[1].put_object(Bucket="bucket", Key="p/k", Body=b"hello", Metadata={"a": "b"})
    cloud = make_cloud()
    (found,) = cloud.s3.list("bucket", "p/")
    assert (found.key, found.size, found.metadata["a"]) == ("p/k", 5, "b")
    assert cloud.s3.resolve("bucket", "p/k").read_bytes() == b"hello"
    with pytest.raises(AwsError, match="NoSuchBucket"):
        cloud.s3.list("other")


def test_a_file_becomes_an_object_at_once(restart, tmp_path: Path) -> None:
    cloud, s3 = restart(versioned=True)
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "key"}}
    s3.put_bucket_encryption(Bucket="bucket", ServerSideEncryptionConfiguration={"Rules": [rule]})
    file = tmp_path / "model.tar.gz"
    file.write_bytes(b"model")
    made = cloud.s3.store("bucket", "out/model.tar.gz", file, metadata={"run": "1"})
    assert not file.exists()
    found = described(s3, "out/model.tar.gz")
    assert (found["body"], found["ETag"].strip('"'), found["Metadata"]) == (b"model", made.etag, {"run": "1"})
    assert (found["ServerSideEncryption"], found["SSEKMSKeyId"]) == ("aws:kms", "key")
    _, s3 = restart(versioned=True)
    assert described(s3, "out/model.tar.gz")["VersionId"] == found["VersionId"]
    assert described(s3, "out/model.tar.gz")["body"] == b"model"


def test_storing_into_no_bucket_is_refused_and_the_file_stays(restart, tmp_path: Path) -> None:
    file = tmp_path / "f"
    file.write_bytes(b"1")
    with pytest.raises(AwsError, match="NoSuchBucket"):
        restart()[0].s3.store("missing", "k", file)
    assert file.exists()


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


def test_writes_that_would_be_lost_are_refused(restart) -> None:
    _, s3 = restart()
    s3.put_object(Bucket="bucket", Key="k", Body=b"")
    with pytest.raises(ClientError, match="does not keep what s3:RenameObject changes"):
        s3.rename_object(Bucket="bucket", Key="new", RenameSource="bucket/k")


def test_each_operation_of_s3_is_a_read_is_kept_is_configuration_or_is_refused(cloud) -> None:
    names = set(cloud.client("s3").meta.service_model.operation_names)
    assert names >= S3Keeper.writes | S3Keeper.configuration
    assert not S3Keeper.writes & S3Keeper.configuration
    others = {name for name in names if not name.startswith(_READS)} - S3Keeper.writes - S3Keeper.configuration
    assert {"RenameObject", "RestoreObject", "PutObjectAnnotation", "UpdateObjectEncryption"} <= others


def test_no_space_is_a_clear_error_and_the_next_start_shows_what_was_before(restart, monkeypatch) -> None:
    cloud, s3 = restart()
    s3.put_object(Bucket="bucket", Key="k", Body=b"before")

    def full(_blocks: object) -> str:
        raise StateUnusable("objects cannot be written: No space left on device.", "Free some space there.")

    monkeypatch.setattr(cloud.objects, "put_blocks", full)
    with pytest.raises(ClientError, match="No space left on device"):
        s3.put_object(Bucket="bucket", Key="k", Body=b"after")
    monkeypatch.undo()
    _, s3 = restart()
    assert described(s3, "k")["body"] == b"before"


def test_an_object_that_is_not_there_is_a_secret_to_who_may_not_list(restart) -> None:
    cloud, _ = restart()
    arn = f"arn:aws:iam::{cloud.account}:role/reader"
    read = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
    list_ = {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*"}
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    documents = [{"Version": "2012-10-17", "Statement": [statement]} for statement in (trust, read)]
    cloud.iam.put_role(arn, documents[0], {"P": documents[1]})
    with pytest.raises(ClientError, match="not authorized to perform: s3:ListBucket"):
        cloud.client("s3", arn).get_object(Bucket="bucket", Key="k")
    cloud.iam.put_role_policy(arn, "L", {"Version": "2012-10-17", "Statement": [list_]})
    with pytest.raises(ClientError, match="NoSuchKey"):
        cloud.client("s3", arn).get_object(Bucket="bucket", Key="k")


def test_the_next_cloud_of_this_process_knows_nothing_of_this_one(tmp_path: Path) -> None:
    clouds = [Cloud(tmp_path / name, "eu-central-1", services={}, warm=False) for name in ("one", "two")]
    for number, cloud in enumerate(clouds):
        cloud.start()
        try:
            s3 = cloud.client("s3")
            assert s3.list_buckets()["Buckets"] == []
            s3.create_bucket(Bucket="things", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
            assert s3.list_objects_v2(Bucket="things")["KeyCount"] == 0
            s3.put_object(Bucket="things", Key=str(number), Body=b"x")
        finally:
            cloud.stop()


def test_two_clouds_at_once_in_one_process_are_an_error(tmp_path: Path) -> None:
    first, second = (Cloud(tmp_path / name, "eu-central-1", services={}, warm=False) for name in ("one", "two"))
    first.start()
    try:
        with pytest.raises(RuntimeError, match="Another local cloud runs in this process"):
            second.start()
    finally:
        second.stop()
        assert first.client("s3").list_buckets()["Buckets"] == []
        first.stop()
