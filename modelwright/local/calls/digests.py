"""What an upload says of its body, and whether the body is that.

S3 refuses a body that is not what its headers, or what follows it, say:
https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html,
https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html (BadDigest, IncompleteBody, InvalidDigest).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from modelwright.local.calls.checksums import checksum, computable, encoded
from modelwright.local.calls.chunked import BlockStream, Unchunked
from modelwright.local.service import AwsError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_ALGORITHMS = ("CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256")
_CHUNKED = frozenset(
    {
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
        "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
    }
)
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Found:
    """What came."""

    size: int
    md5: str
    sha256: str


class Digests:
    """The checks of one body: read its content through `content`, then call `check`."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._headers = headers
        self._unchunked: Unchunked | None = None
        self.asked = headers.get("x-amz-sdk-checksum-algorithm", "")
        """the algorithm that the answer has to tell of"""
        self._algorithm = self.asked.upper() or _named(headers)
        self._checksum = checksum(self._algorithm) if self._algorithm else None

    def content(self, blocks: Iterator[bytes]) -> Iterator[bytes]:
        """The body without its framing."""
        if self._headers.get("x-amz-content-sha256") in _CHUNKED:
            self._unchunked = Unchunked(io.BufferedReader(BlockStream(blocks), 64 * 1024))
            blocks = self._unchunked.blocks()
        for block in blocks:
            if self._checksum is not None:
                self._checksum.update(block)
            yield block

    def check(self, found: Found) -> None:
        """Raise AwsError when what came is not what was said."""
        said = self._headers.get("x-amz-decoded-content-length", "")
        if self._unchunked is not None and said.isdecimal() and int(said) != found.size:
            raise AwsError("IncompleteBody", f"The body has {found.size} bytes; its headers say {said}.", 400)
        signed = self._headers.get("x-amz-content-sha256", "")
        if _SHA256.fullmatch(signed) and signed != found.sha256:
            text = "The provided 'x-amz-content-sha256' header does not match what was computed."
            raise AwsError("XAmzContentSHA256Mismatch", text, 400)
        self._check_md5(found.md5)
        self._check_checksum()

    def value(self) -> str:
        """The checksum that was said, or else the one that was computed; empty where no algorithm is named."""
        return self._said() or (encoded(self._checksum) if self._checksum is not None else "")

    def _said(self) -> str:
        name = f"x-amz-checksum-{self._algorithm.lower()}"
        trailers = self._unchunked.trailers if self._unchunked is not None else {}
        return self._headers.get(name) or trailers.get(name, "")

    def _check_md5(self, md5: str) -> None:
        said = self._headers.get("content-md5")
        if said is None:
            return
        if len(_decoded(said)) != hashlib.md5(usedforsecurity=False).digest_size:
            raise AwsError("InvalidDigest", "The Content-MD5 you specified is not valid.", 400)
        if _decoded(said).hex() != md5:
            raise AwsError("BadDigest", "The Content-MD5 you specified did not match what we received.", 400)

    def _check_checksum(self) -> None:
        said = self._said()
        if not said or self._checksum is None or not computable(self._algorithm):
            return
        if len(_decoded(said)) != len(self._checksum.digest()):
            name = f"x-amz-checksum-{self._algorithm.lower()}"
            raise AwsError("InvalidRequest", f"Value for {name} header is invalid.", 400)
        if said != encoded(self._checksum):
            text = f"The {self._algorithm} you specified did not match the calculated checksum."
            raise AwsError("BadDigest", text, 400)


def check_body(headers: Mapping[str, str], body: bytes) -> None:
    """Check a body that is in memory."""
    digests = Digests(headers)
    content = b"".join(digests.content(iter([body])))
    md5 = hashlib.md5(content, usedforsecurity=False) if "content-md5" in headers else None
    digests.check(Found(len(content), md5.hexdigest() if md5 else "", hashlib.sha256(content).hexdigest()))


def _named(headers: Mapping[str, str]) -> str:
    """The algorithm of a checksum that is there, or is said to follow, without its being asked for."""
    trailer = headers.get("x-amz-trailer", "").lower()
    names = {each: f"x-amz-checksum-{each.lower()}" for each in _ALGORITHMS}
    return next((each for each, name in names.items() if name in headers or name == trailer), "")


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
