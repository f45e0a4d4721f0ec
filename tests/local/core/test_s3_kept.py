"""S3 objects come back as they were; what would be lost is refused."""

from __future__ import annotations

import io

import pytest
from botocore.exceptions import ClientError
from stored_objects import described

from modelwright.errors import StateUnusable
from modelwright.local.persistence.hooks import _READS
from modelwright.local.persistence.s3_keeper import S3Keeper
from modelwright.local.service import AwsError


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
