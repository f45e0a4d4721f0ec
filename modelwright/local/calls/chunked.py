"""aws-chunked: the framing of a body whose checksum or signatures follow what they are of.

https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html,
https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from modelwright.local.service import AwsError

if TYPE_CHECKING:
    from collections.abc import Iterator

_LINE_BYTES = 8 * 1024
_BLOCK_BYTES = 1 << 20


class BlockStream(io.RawIOBase):
    """What comes block by block, as a raw stream."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        super().__init__()
        self._blocks = blocks
        self._block = memoryview(b"")

    def readable(self) -> bool:
        """True."""
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Fill the buffer from the next block."""
        while not self._block:
            block = next(self._blocks, None)
            if block is None:
                return 0
            self._block = memoryview(block)
        size = min(len(buffer), len(self._block))
        buffer[:size] = self._block[:size]
        self._block = self._block[size:]
        return size


class Unchunked:
    """The content of an aws-chunked body; `trailers` are there when it was read to its end. AwsError IncompleteBody."""

    def __init__(self, stream: io.BufferedReader) -> None:
        self._stream = stream
        self.trailers: dict[str, str] = {}

    def blocks(self) -> Iterator[bytes]:
        """The content, in blocks."""
        while left := self._chunk_size():
            while left:
                block = self._stream.read(min(left, _BLOCK_BYTES))
                if not block:
                    raise _incomplete("a chunk ends before its size")
                left -= len(block)
                yield block
            if self._stream.readline(_LINE_BYTES).strip():
                raise _incomplete("a chunk is longer than its size")
        while line := self._stream.readline(_LINE_BYTES).strip():
            name, _, value = line.decode("latin-1").partition(":")
            self.trailers[name.strip().lower()] = value.strip()

    def _chunk_size(self) -> int:
        text = self._stream.readline(_LINE_BYTES).partition(b";")[0].strip()
        try:
            size = int(text, 16)
        except ValueError:
            size = -1
        if size < 0:
            raise _incomplete(f"a chunk begins with {text[:20]!r}; it must be its size in hexadecimal digits")
        return size


def _incomplete(why: str) -> AwsError:
    return AwsError("IncompleteBody", f"The body is not aws-chunked as its headers say: {why}.", 400)
