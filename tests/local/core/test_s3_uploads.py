"""An upload goes to a file while it comes in; nobody can tell it from one that was held in memory."""

from __future__ import annotations

import hashlib
import io
import socket
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from s3_uploads import Wire, authorization, chunked, connection, crc32, md5, plain, send

from modelwright.local.calls import uploads
from modelwright.local.persistence import s3_bytes
from modelwright.local.persistence.s3_keeper import KIND
from modelwright.local.store.file_bytes import SMALL_BYTES

if TYPE_CHECKING:
    from pathlib import Path

CONTENT = hashlib.shake_128(b"content").digest(2 * SMALL_BYTES + 7)
PART = hashlib.shake_128(b"part").digest(5 * SMALL_BYTES)
CRC = "x-amz-checksum-crc32:" + crc32(CONTENT)
NOT_ITS_OWN = crc32(b"something else")

GOOD = {
    "plain": plain(CONTENT, content_type="text/csv", x_amz_meta_who="me", x_amz_tagging="a=b"),
    "md5": plain(CONTENT, content_md5=md5(CONTENT)),
    "checksum": plain(CONTENT, x_amz_sdk_checksum_algorithm="CRC32", x_amz_checksum_crc32=crc32(CONTENT)),
    "checksum asked for": plain(CONTENT, x_amz_sdk_checksum_algorithm="SHA256"),
    "trailer": chunked(CONTENT, trailer=CRC, x_amz_sdk_checksum_algorithm="CRC32"),
    "trailer not asked for": chunked(CONTENT, trailer=CRC),
    "signed": chunked(CONTENT, signed=True, content_type="text/csv"),
    "signed with a trailer": chunked(CONTENT, signed=True, trailer=CRC, x_amz_sdk_checksum_algorithm="CRC32"),
    "class": plain(CONTENT, x_amz_storage_class="STANDARD_IA", content_encoding="gzip"),
    "encrypted": plain(CONTENT, x_amz_server_side_encryption="aws:kms"),
}
BAD = {
    "BadDigest": plain(CONTENT, content_md5=md5(b"something else")),
    "InvalidDigest": plain(CONTENT, content_md5="bm90IG9uZQ=="),
    "did not match the calculated": plain(CONTENT, x_amz_checksum_crc32=NOT_ITS_OWN),
    "CRC32 you specified": chunked(CONTENT, trailer="x-amz-checksum-crc32:" + NOT_ITS_OWN),
    "Value for x-amz-checksum-sha1": plain(CONTENT, x_amz_checksum_sha1="none"),
    "XAmzContentSHA256Mismatch": plain(CONTENT, x_amz_content_sha256="0" * 64),
    "IncompleteBody": Wire(chunked(CONTENT).headers, b"zz\r\n" + CONTENT),
    "its headers say 7": Wire({**chunked(CONTENT).headers, "x-amz-decoded-content-length": "7"}, chunked(CONTENT).body),
    "a chunk ends before": Wire(chunked(CONTENT).headers, chunked(CONTENT).body[:-90_000]),
    "InvalidStorageClass": plain(CONTENT, x_amz_storage_class="NONE"),
}


@pytest.fixture
def in_memory(monkeypatch: pytest.MonkeyPatch):
    """Called, holds every body in memory from then on."""

    def hold() -> None:
        monkeypatch.setattr(uploads, "SMALL_BYTES", 1 << 40)
        monkeypatch.setattr(s3_bytes, "SMALL_BYTES", 1 << 40)

    return hold


@pytest.fixture
def bucket(restart) -> Any:
    cloud, s3 = restart()
    told = {"EventBridgeConfiguration": {}}
    s3.put_bucket_notification_configuration(Bucket="bucket", NotificationConfiguration=told)
    return cloud, s3


def left(cloud) -> list[Path]:
    return list((cloud.directory / "objects" / "incoming").iterdir())


def events(cloud) -> list[Any]:
    published = [each["detail"] for each in cloud.services["events"].published]
    cloud.services["events"].published.clear()
    for each in published:
        del each["object"]["sequencer"]
    return published


def stored(s3, key: str = "k", **how: str) -> dict[str, Any]:
    found = s3.get_object(Bucket="bucket", Key=key, ChecksumMode="ENABLED", **how)
    headers = {name: value for name, value in found["ResponseMetadata"]["HTTPHeaders"].items() if "id" not in name}
    headers.pop("last-modified")
    return {"headers": headers, "content": found["Body"].read()}


@pytest.mark.parametrize("name", GOOD)
def test_an_upload_in_a_file_is_as_one_in_memory(bucket, in_memory, http_client, name: str) -> None:
    cloud, _ = bucket
    s3 = http_client(cloud, "s3")
    found = [(send(cloud, "/bucket/k", GOOD[name]), stored(s3), stored(s3, Range="bytes=1048570-1048590"))]
    found[0] += (events(cloud), cloud.database.get(KIND, "bucket/k")["versions"][0] | {"at": None})
    assert left(cloud) == []
    in_memory()
    again = (send(cloud, "/bucket/k", GOOD[name]), stored(s3), stored(s3, Range="bytes=1048570-1048590"))
    again += (events(cloud), cloud.database.get(KIND, "bucket/k")["versions"][0] | {"at": None})
    assert found[0] == again
    assert again[0][0] == 200
    assert again[1]["content"] == CONTENT
    assert again[2]["content"] == CONTENT[1048570:1048591]


@pytest.mark.parametrize("said", BAD)
def test_what_is_refused_is_refused_alike_and_leaves_nothing(bucket, in_memory, said: str) -> None:
    cloud, s3 = bucket
    found = send(cloud, "/bucket/k", BAD[said])
    assert left(cloud) == []
    in_memory()
    assert send(cloud, "/bucket/k", BAD[said]) == found
    assert found[0] == 400
    assert said in found[2].decode()
    assert "Contents" not in s3.list_objects_v2(Bucket="bucket")
    assert cloud.objects.hashes() == []


def test_who_may_not_upload_is_told_so_whatever_comes_and_leaves_nothing(bucket, in_memory) -> None:
    cloud, _ = bucket
    role = "arn:aws:iam::123456789012:role/reader"
    trusted = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
    may = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
    version = {"Version": "2012-10-17"}
    cloud.iam.put_role(role, version | {"Statement": [trusted]}, {"inline": version | {"Statement": [may]}})
    keys = cloud.callers.session(role)
    found = [send(cloud, "/bucket/k", wire, keys) for wire in (GOOD["trailer"], BAD["BadDigest"])]
    assert (left(cloud), cloud.objects.hashes()) == ([], [])
    in_memory()
    assert found == [send(cloud, "/bucket/k", wire, keys) for wire in (GOOD["trailer"], BAD["BadDigest"])]
    assert {status for status, _, _ in found} == {403}


@pytest.mark.parametrize("target", ["/nowhere/k", "/bucket/k?partNumber=0&uploadId=none"])
def test_an_upload_to_nowhere_leaves_nothing(bucket, in_memory, target: str) -> None:
    cloud, _ = bucket
    found = send(cloud, target, GOOD["plain"])
    assert left(cloud) == []
    in_memory()
    assert send(cloud, target, GOOD["plain"])[0] == found[0] >= 400


def test_a_body_of_a_length_that_is_not_said_is_taken(bucket) -> None:
    cloud, s3 = bucket
    for size in (0, 5, SMALL_BYTES, len(CONTENT)):
        blocks = (CONTENT[start : start + 100_000] for start in range(0, size, 100_000))
        body = (block[: size - start] for start, block in zip(range(0, size, 100_000), blocks, strict=True))
        assert send(cloud, "/bucket/k", Wire({}, body), encode_chunked=True)[0] == 200
        assert s3.get_object(Bucket="bucket", Key="k")["Body"].read() == CONTENT[:size]
    assert left(cloud) == []


def test_a_client_that_hangs_up_leaves_nothing(bucket) -> None:
    cloud, s3 = bucket
    for sent in (CONTENT, b"", CONTENT[:10]):
        to = connection(cloud)
        to.putrequest("PUT", "/bucket/k")
        for name, value in authorization(cloud.callers.owner).items():
            to.putheader(name, value)
        to.putheader("Content-Length", str(len(CONTENT) + 1))
        to.endheaders()
        to.send(sent)
        to.sock.shutdown(socket.SHUT_WR)
        answer = to.getresponse()
        assert (answer.status, answer.read().decode()) == (
            400,
            f"the body ends after {len(sent)} of {len(CONTENT) + 1} bytes",
        )
        to.close()
    assert (left(cloud), cloud.objects.hashes()) == ([], [])
    assert "Contents" not in s3.list_objects_v2(Bucket="bucket")


def test_a_crash_before_the_object_is_named_leaves_what_the_next_start_removes(restart, monkeypatch) -> None:
    cloud, _ = restart()
    put = cloud.database.put

    def fail(kind: str, *more: Any) -> None:
        if kind == KIND:
            raise OSError("the power fails")
        put(kind, *more)

    monkeypatch.setattr(cloud.database, "put", fail)
    assert send(cloud, "/bucket/k", GOOD["plain"])[0] == 500
    assert len(cloud.objects.hashes()) == 1
    cloud, s3 = restart()
    assert cloud.objects.hashes() == []
    assert "Contents" not in s3.list_objects_v2(Bucket="bucket")


def parts_uploaded(cloud, s3, bodies: list[bytes], **how: str) -> tuple[dict[str, Any], list[Any]]:
    upload = s3.create_multipart_upload(Bucket="bucket", Key="k", Metadata={"a": "b"}, **how)["UploadId"]
    named = {"Bucket": "bucket", "Key": "k", "UploadId": upload}
    etags = [
        s3.upload_part(**named, PartNumber=number, Body=io.BytesIO(body))["ETag"]
        for number, body in enumerate(bodies, 1)
    ]
    return named, [{"PartNumber": number, "ETag": etag} for number, etag in enumerate(etags, 1)]


@pytest.mark.parametrize("how", [{}, {"ChecksumAlgorithm": "SHA256"}, {"ChecksumAlgorithm": "CRC32"}])
def test_an_object_of_parts_in_files_is_as_one_of_parts_in_memory(bucket, in_memory, http_client, how) -> None:
    cloud, _ = bucket
    s3 = http_client(cloud, "s3")
    found = []
    for hold in (lambda: None, in_memory):
        hold()
        named, listed = parts_uploaded(cloud, s3, [PART, PART, b"the last one"], **how)
        told = s3.complete_multipart_upload(**named, MultipartUpload={"Parts": listed})
        found.append((told["ETag"], stored(s3), events(cloud)))
        assert left(cloud) == []
    assert found[0] == found[1]
    assert found[0][1]["content"] == PART + PART + b"the last one"


def test_parts_that_do_not_fit_are_refused_alike(bucket, in_memory) -> None:
    cloud, s3 = bucket
    for hold in (lambda: None, in_memory):
        hold()
        named, listed = parts_uploaded(cloud, s3, [CONTENT, CONTENT])
        for parts, code in (
            (listed, "EntityTooSmall"),
            ([{"PartNumber": 7, "ETag": listed[0]["ETag"]}], "InvalidPart"),
            ([{"PartNumber": 1, "ETag": '"0"'}], "InvalidPart"),
        ):
            with pytest.raises(ClientError, match=code):
                s3.complete_multipart_upload(**named, MultipartUpload={"Parts": parts})
        s3.abort_multipart_upload(**named)
    assert (left(cloud), cloud.objects.hashes()) == ([], [])


def test_copies_are_not_read_and_are_what_they_are_of(bucket, http_client) -> None:
    cloud, _ = bucket
    s3 = http_client(cloud, "s3")
    s3.put_object(Bucket="bucket", Key="k", Body=PART)
    s3.copy_object(Bucket="bucket", Key="copy", CopySource="bucket/k")
    assert stored(s3, "copy")["content"] == PART
    assert s3.head_object(Bucket="bucket", Key="copy")["ETag"] == s3.head_object(Bucket="bucket", Key="k")["ETag"]
    assert len(cloud.objects.hashes()) == 1
    upload = s3.create_multipart_upload(Bucket="bucket", Key="cut")["UploadId"]
    named = {"Bucket": "bucket", "Key": "cut", "UploadId": upload}
    cuts = [
        s3.upload_part_copy(**named, PartNumber=number, CopySource="bucket/k", **cut)["CopyPartResult"]["ETag"]
        for number, cut in enumerate([{}, {"CopySourceRange": "bytes=3-1500000"}], 1)
    ]
    parts = [{"PartNumber": number, "ETag": etag} for number, etag in enumerate(cuts, 1)]
    s3.complete_multipart_upload(**named, MultipartUpload={"Parts": parts})
    assert stored(s3, "cut")["content"] == PART + PART[3:1500001]
    assert [etag.strip('"') for etag in cuts][1] != ""
    assert left(cloud) == []


def test_a_role_and_the_cloud_itself_read_what_was_uploaded(bucket) -> None:
    cloud, s3 = bucket
    send(cloud, "/bucket/k", GOOD["trailer"])
    assert s3.get_object(Bucket="bucket", Key="k")["Body"].read() == CONTENT
    assert cloud.s3.head("bucket", "k").path.read_bytes() == CONTENT
    ranged = s3.get_object(Bucket="bucket", Key="k", Range="bytes=-5")
    assert (ranged["Body"].read(), ranged["ContentLength"]) == (CONTENT[-5:], 5)
    with pytest.raises(ClientError, match="InvalidRange"):
        s3.get_object(Bucket="bucket", Key="k", Range=f"bytes={len(CONTENT)}-")


def test_an_uploaded_object_comes_back_after_a_restart(restart) -> None:
    cloud, _ = restart()
    send(cloud, "/bucket/k", GOOD["trailer"])
    _, s3 = restart()
    assert stored(s3)["content"] == CONTENT
