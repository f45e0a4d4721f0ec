"""The structured log: JSON lines on standard output, those of one turn of the event loop in one write."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import select
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelwright.serving.http.messages import Head

ATOMIC_BYTES = min(4096, select.PIPE_BUF)
"""so much goes into a pipe in one piece, whoever else writes into it: https://man7.org/linux/man-pages/man7/pipe.7.html"""
LONGEST_TEXT = 200
"""of a header in a line, so that a line is one piece"""
_STDOUT = 1


class Log:
    """Lines, kept until the event loop has done what is ready; each is written whole, also beside other processes."""

    def __init__(self, descriptor: int = _STDOUT) -> None:
        """Write to this descriptor."""
        self._descriptor = descriptor
        self._lines: list[bytes] = []
        self._bytes = 0

    def record(self, record: Mapping[str, Any]) -> None:
        """Write a line of these fields."""
        self.line(json.dumps(record).encode() + b"\n")

    def line(self, line: bytes) -> None:
        """Write a line that ends with a line end."""
        if not self._lines:
            asyncio.get_running_loop().call_soon(self.flush)
        self._bytes += len(line)
        if self._bytes > ATOMIC_BYTES:
            self._write()
            self._bytes = len(line)
        self._lines.append(line)

    def flush(self) -> None:
        """Write what is kept."""
        self._write()
        self._bytes = 0

    def _write(self) -> None:
        rest = memoryview(b"".join(self._lines))
        self._lines.clear()
        while rest:
            try:
                rest = rest[os.write(self._descriptor, rest) :]
            except BlockingIOError:
                select.select([], [self._descriptor], [])
            except OSError:  # nobody reads it any more, or the disk is full: no reason to answer nobody
                return


def tell(record: Mapping[str, Any]) -> None:
    """Write a line at once, where no event loop runs; that nobody reads it, or the disk is full, ends nobody."""
    with contextlib.suppress(OSError):
        os.write(_STDOUT, json.dumps(record).encode() + b"\n")


def request_line(head: Head, status: int, milliseconds: float, sizes: tuple[int, int]) -> bytes:
    """Return the line of one request; `sizes` are those of its body and of its answer's."""
    types = _types(head.headers.get("content-type", ""), head.headers.get("accept", ""))
    text = json.dumps(head.request_id[:LONGEST_TEXT])
    return (
        f'{{"event": "request", "id": {text}, "status": {status}, "milliseconds": {milliseconds:.3f}, '
        f'"bytes_in": {sizes[0]}, "bytes_out": {sizes[1]}, {types}}}\n'
    ).encode()


def request_template(status: int, bytes_in: int, headers: Mapping[str, str]) -> bytes:
    """Return such a line with `%` conversions in it: a plain id, milliseconds, bytes out."""
    types = _types(headers.get("content-type", ""), headers.get("accept", "")).replace("%", "%%")
    return (
        f'{{"event": "request", "id": "%b", "status": {status}, "milliseconds": %.3f, '
        f'"bytes_in": {bytes_in}, "bytes_out": %d, {types}}}\n'
    ).encode()


@lru_cache(256)
def _types(content_type: str, accept: str) -> str:
    kind, wish = json.dumps(content_type[:LONGEST_TEXT]), json.dumps(accept[:LONGEST_TEXT])
    return f'"content_type": {kind}, "accept": {wish}'
