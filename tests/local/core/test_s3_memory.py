"""A daemon takes and gives objects of any size in little memory."""

from __future__ import annotations

import hashlib
import http.client
from pathlib import Path
from typing import TYPE_CHECKING, Any

from daemon_processes import pid_of, with_bucket
from s3_uploads import authorization

from modelwright.local.daemon.attach import attach

if TYPE_CHECKING:
    from modelwright.local.daemon.lease import LocalCloud

MIB = 1 << 20
SIZE = 192 * MIB
ALLOWED = 64 * MIB
PART = SIZE // 4


def peak(pid: int) -> int:
    (line,) = (each for each in Path(f"/proc/{pid}/status").read_text().splitlines() if each.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def put(cloud: LocalCloud, target: str, file: Path, start: int, size: int) -> str:
    """PUT a part of a file, unsigned: botocore would read it three times before it sends it. The answer's ETag."""
    to = http.client.HTTPConnection("127.0.0.1", int(cloud.endpoint_url.rpartition(":")[2]), blocksize=MIB)
    with file.open("rb") as source:
        source.seek(start)
        sent = (source.read(MIB) for _ in range(size // MIB))
        headers = authorization(cloud.credentials) | {"content-length": str(size)}
        to.request("PUT", target, sent, headers)
        answer = to.getresponse()
        answer.read()
    to.close()
    assert answer.status == 200
    return str(answer.headers["ETag"])


def sha256_of(s3: Any, key: str, **which: str) -> str:
    found = hashlib.sha256()
    body = s3.get_object(Bucket="bucket", Key=key, **which)["Body"]
    while block := body.read(MIB):
        found.update(block)
    return found.hexdigest()


def test_large_objects_do_not_come_to_lie_in_memory(root: Path, tmp_path: Path) -> None:
    file = tmp_path / "large"
    with file.open("wb") as target:
        target.write(b"begin")
        target.truncate(SIZE)
    with file.open("rb") as source:
        digest = hashlib.file_digest(source, "sha256").hexdigest()
    with attach(root).ready() as cloud:
        s3 = with_bucket(cloud)
        s3.put_object(Bucket="bucket", Key="small", Body=b"1")  # what the first call imports is no upload's
        before = peak(pid_of(root))
        put(cloud, "/bucket/whole", file, 0, SIZE)
        assert sha256_of(s3, "whole") == digest
        named = {"Bucket": "bucket", "Key": "parts"}
        upload = s3.create_multipart_upload(**named)["UploadId"]
        query = f"/bucket/parts?uploadId={upload}&partNumber="
        parts = [
            {"PartNumber": number, "ETag": put(cloud, f"{query}{number}", file, (number - 1) * PART, PART)}
            for number in range(1, SIZE // PART + 1)
        ]
        s3.complete_multipart_upload(**named, UploadId=upload, MultipartUpload={"Parts": parts})
        s3.copy_object(Bucket="bucket", Key="copy", CopySource="bucket/parts")
        assert sha256_of(s3, "copy", Range="bytes=0-") == digest
        assert peak(pid_of(root)) - before < ALLOWED
