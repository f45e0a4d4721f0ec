"""The connections of one process: what they share, and which of them are ended when."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

from modelwright.serving.http.heads import Heads
from modelwright.serving.process.counters import Counters

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from modelwright.serving.app import Known
    from modelwright.serving.http.connection import Connection
    from modelwright.serving.http.messages import Head, Response
    from modelwright.serving.http.parsing import Parsed
    from modelwright.serving.process.counters import WorkerCounters

ROOM_SHARE = 8
"""one in so many idle connections is ended when there is no room for another"""


class Application(Protocol):
    """What answers requests."""

    def known(self, head: Head, length: int) -> Known | None:
        """Return what answers more requests with this head and a body of this length, if anything does so quickly."""

    def answer(self, request: Parsed) -> Response | Coroutine[None, None, Response]:
        """Answer at once, or later."""

    def ended(self, request: Parsed, response: Response | None) -> None:
        """A request has got its response; None: its client was gone before."""


class Group:
    """The connections of one process."""

    def __init__(
        self, app: Application, most_body_bytes: int, timeout_seconds: float, counters: WorkerCounters | None = None
    ) -> None:
        """A request must have arrived `timeout_seconds` after its first byte; an answer must be taken in that time."""
        self.app = app
        self.counters = counters or Counters(1).of(0)
        self.most_body_bytes = most_body_bytes
        self.timeout_seconds = timeout_seconds
        self.heads = Heads(app)
        self.open: set[Connection] = set()
        self.arriving: set[asyncio.Task[object]] = set()
        """connections that are being made"""
        self.draining = False
        self.empty = asyncio.Event()
        """set, while draining, when the last connection has ended"""

    def drain(self) -> None:
        """Take no further request: each connection ends with the answer to what it has begun to send."""
        self.draining = True
        for connection in tuple(self.open):
            connection.end_if_idle()
        self.look()

    def abort(self) -> None:
        """End all connections, whatever they are at."""
        for connection in tuple(self.open):
            connection.abort()

    def close_idle(self, before: float) -> None:
        """End the connections that have been idle since `before`, a time of the event loop."""
        for connection in tuple(self.open):
            if connection.active < before:
                connection.end_if_idle()

    def make_room(self) -> bool:
        """End some of the connections, those that have been idle the longest; False when none is idle."""
        idle = sorted((one for one in self.open if one.idle), key=lambda one: one.active)
        for connection in idle[: 1 + len(idle) // ROOM_SHARE]:
            connection.end_if_idle()
        return bool(idle)

    def look(self) -> None:
        """See whether the drain is over."""
        if self.draining and not self.open:
            self.empty.set()
