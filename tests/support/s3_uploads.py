"""Uploads as clients write them on the wire, byte for byte, and what S3 then says of the object."""

from __future__ import annotations

import base64
import binascii
import hashlib
import http.client
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from modelwright.local.cloud import Cloud
    from modelwright.local.service import Credentials

_OF_A_REQUEST = frozenset(
    {"content-length", "date", "last-modified", "x-amz-id-2", "x-amz-request-id", "x-amzn-requestid"}
)
CHUNK_BYTES = 64 * 1024 + 1


@dataclass(frozen=True)
class Wire:
    """A request's headers and body."""

    headers: dict[str, str]
    body: bytes = field(repr=False)


def crc32(content: bytes) -> str:
    return base64.b64encode(binascii.crc32(content).to_bytes(4, "big")).decode()


def md5(content: bytes) -> str:
    return base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()


def plain(content: bytes, **headers: str) -> Wire:
    """Content as it is; `content_md5` is the header Content-MD5."""
    return Wire({name.replace("_", "-"): value for name, value in headers.items()}, content)


def chunked(content: bytes, *, signed: bool = False, trailer: str = "", **headers: str) -> Wire:
    """aws-chunked, as botocore (unsigned) and the Java SDK (signed) send it."""
    signature = ";chunk-signature=" + "0" * 64 if signed else ""
    parts = []
    for start in range(0, len(content), CHUNK_BYTES):
        chunk = content[start : start + CHUNK_BYTES]
        parts.append(f"{len(chunk):x}{signature}\r\n".encode() + chunk + b"\r\n")
    parts.append(f"0{signature}\r\n".encode() + (f"{trailer}\r\n" if trailer else "").encode() + b"\r\n")
    kind = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" if signed else "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
    framed = {
        "content-encoding": "aws-chunked",
        "x-amz-content-sha256": kind + ("-TRAILER" if signed and trailer else ""),
        "x-amz-decoded-content-length": str(len(content)),
        **({"x-amz-trailer": trailer.partition(":")[0]} if trailer else {}),
    }
    return Wire(framed | plain(b"", **headers).headers, b"".join(parts))


def authorization(keys: Any) -> dict[str, str]:
    scope = f"{keys.access_key}/20261121/eu-central-1/s3/aws4_request"
    session = getattr(keys, "session_token", "")
    token = {"x-amz-security-token": session} if session else {}
    return {"authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0", **token}


def connection(cloud: Cloud) -> http.client.HTTPConnection:
    return http.client.HTTPConnection("127.0.0.1", int(cloud.endpoint_url.rpartition(":")[2]))


def send(
    cloud: Cloud, target: str, wire: Wire, keys: Credentials | None = None, **how: Any
) -> tuple[int, dict[str, str], bytes]:
    """PUT it; status, headers and body of the answer, without what is another one for each request."""
    to = connection(cloud)
    headers = authorization(keys or cloud.callers.owner) | wire.headers
    to.request("PUT", target, wire.body, headers, **how)
    response = to.getresponse()
    body = re.sub(rb"<RequestId>[^<]*", b"<RequestId>", response.read())
    to.close()
    told = {name.lower(): value for name, value in response.getheaders() if name.lower() not in _OF_A_REQUEST}
    return response.status, told, body
