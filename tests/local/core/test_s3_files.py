"""S3 objects as files: content that is stored once, seen and made without a copy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from stored_objects import described

from modelwright.local.service import AwsError

if TYPE_CHECKING:
    from pathlib import Path


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
