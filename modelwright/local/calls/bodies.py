"""The headers and the body of a request, read from its connection."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MAX_HEADER_BYTES = 64 * 1024
MAX_BODY_BYTES = (
    5 * 1024**3
)  # S3's own limit of one PUT, https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
_BLOCK_BYTES = 256 * 1024


class BadRequestError(Exception):
    """Not HTTP as this server speaks it."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def read_headers(stream: BinaryIO) -> tuple[dict[str, str], dict[str, list[str]]]:
    """The headers by name, and the values of those that came more than once."""
    headers: dict[str, str] = {}
    repeated: dict[str, list[str]] = {}
    left = MAX_HEADER_BYTES
    while True:
        line = stream.readline(left + 1)
        left -= len(line)
        if left < 0:
            raise BadRequestError(431, f"the headers are longer than {MAX_HEADER_BYTES} bytes")
        if line in (b"\r\n", b"\n"):
            return headers, repeated
        name, colon, value = line.decode("latin-1").partition(":")
        if not colon or name != name.strip():
            raise BadRequestError(400, "a header is not of the form `name: value`")
        name, value = name.lower(), value.strip()
        if name in headers:
            repeated.setdefault(name, [headers[name]]).append(value)
            value = f"{headers[name]},{value}"
        headers[name] = value


def _length(text: str) -> int:
    if not text.isdecimal():
        raise BadRequestError(400, f"Content-Length is {text!r}; it must be a number")
    length = int(text)
    if length > MAX_BODY_BYTES:
        raise BadRequestError(413, f"the body has {length} bytes; at most {MAX_BODY_BYTES} are taken in one request")
    return length


def _chunk_size(stream: BinaryIO) -> int:
    text = stream.readline(MAX_HEADER_BYTES).partition(b";")[0].strip()
    try:
        size = int(text, 16)
    except ValueError:
        size = -1
    if size < 0:
        raise BadRequestError(400, "a chunk does not begin with its size")
    return size


def is_chunked(headers: Mapping[str, str]) -> bool:
    """True when the body comes in chunks, its length not said."""
    return headers.get("transfer-encoding", "").lower() == "chunked"


def read_blocks(stream: BinaryIO, headers: Mapping[str, str]) -> Iterator[bytes]:
    """The body, in blocks of a size that is held in memory."""
    if not is_chunked(headers):
        yield from _in_blocks(stream, _length(headers.get("content-length", "0")))
        return
    length = 0
    while size := _chunk_size(stream):
        length += size
        _length(str(length))
        yield from _in_blocks(stream, size)
        stream.readline(3)
    read_headers(stream)  # trailers


def _in_blocks(stream: BinaryIO, length: int) -> Iterator[bytes]:
    left = length
    while left:
        block = stream.read(min(left, _BLOCK_BYTES))
        if not block:
            raise BadRequestError(400, f"the body ends after {length - left} of {length} bytes")
        left -= len(block)
        yield block
