"""Reads what processes write, line by line, in one thread for all of them."""

from __future__ import annotations

import contextlib
import logging
import os
import selectors
import socket
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

LONGEST_LINE_BYTES = 256 * 1024
"""a longer line arrives in pieces: a CloudWatch Logs event cannot be longer"""
_PIECE = 1 << 16
_LOG = logging.getLogger(__name__)


class Output:
    """One process's output; `closed` is set when all of it has been handed on."""

    def __init__(self, descriptor: int, on_line: Callable[[str], None]) -> None:
        self.descriptor = descriptor
        self.closed = threading.Event()
        self._on_line = on_line
        self._rest = b""

    def read(self) -> bool:
        """Hand on what is there; False when there will be no more."""
        piece = os.read(self.descriptor, _PIECE)
        *lines, self._rest = (self._rest + piece).split(b"\n")
        if len(self._rest) >= LONGEST_LINE_BYTES or (not piece and self._rest):
            lines.append(self._rest)
            self._rest = b""
        for line in lines:
            self._hand_on(line.removesuffix(b"\r").decode("utf-8", "replace"))
        return bool(piece)

    def _hand_on(self, line: str) -> None:
        try:
            self._on_line(line)
        except Exception:  # noqa: BLE001 - one reader's fault must not end everybody's reading
            _LOG.exception("a reader of a process's output failed")


class Reader:
    """The thread. It ends with `stop`."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._woken, self._wake = socket.socketpair()
        self._new: list[Output] = []
        self._lock = threading.Lock()
        self._selector.register(self._woken, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._run, name="process-output", daemon=True)
        self._thread.start()

    def add(self, output: Output) -> None:
        """Read this output from now on; its descriptor is closed at its end."""
        with self._lock:
            self._new.append(output)
        self._wake.send(b".")

    def stop(self) -> None:
        """End the thread; what was not read stays unread."""
        self._wake.send(b"x")
        self._thread.join()

    def _run(self) -> None:
        stopping = False
        while not stopping:
            for key, _ in self._selector.select():
                if key.data is None:
                    stopping = self._take_new()
                elif not self._read(key.data):
                    self._selector.unregister(key.fileobj)
        self._selector.close()

    def _take_new(self) -> bool:
        asked = self._woken.recv(4096)
        with self._lock:
            fresh, self._new = self._new, []
        for output in fresh:
            self._selector.register(output.descriptor, selectors.EVENT_READ, output)
        return b"x" in asked

    def _read(self, output: Output) -> bool:
        with contextlib.suppress(OSError):
            if output.read():
                return True
        os.close(output.descriptor)
        output.closed.set()
        return False
