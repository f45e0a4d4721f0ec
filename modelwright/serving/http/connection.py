"""One connection: bytes in, requests one after the other, answers in their order.

HTTP/1.1 as of https://www.rfc-editor.org/rfc/rfc9112: keep-alive, pipelining, chunked bodies, `Expect: 100-continue`.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, cast

from modelwright.serving.http.messages import CONTINUE, Response, encode
from modelwright.serving.http.parsing import Parsed, Parser
from modelwright.serving.problems import RequestError

if TYPE_CHECKING:
    from modelwright.serving.http.group import Group

LINGER_BYTES = 64 * 1024 * 1024
LINGER_SECONDS = 5
"""so much, so long, is read and dropped behind an early answer: closing before would reset the connection, and its
sender would see a broken pipe instead of the answer"""
MOST_WAITING = 16
"""so many pipelined requests wait before no more is read"""


class Connection(asyncio.Protocol):
    """One client."""

    def __init__(self, group: Group, loop: asyncio.AbstractEventLoop) -> None:
        """Belong to `group`."""
        self._group = group
        self._loop = loop
        self._parser = Parser(group.most_body_bytes, self._take, self._continue)
        self._waiting: deque[Parsed] = deque()
        self._current: Parsed | None = None
        self._taken: Parsed | None = None
        """the last request that what is being read has brought"""
        self._task: asyncio.Task[Response] | None = None
        self._owes_continue = False
        self._writable = True
        self._reading = True
        self._half_closed = False
        self._lingering = -1
        """how many bytes more may be dropped, behind an early answer; -1: nothing is dropped"""
        self._late: asyncio.TimerHandle | None = None
        self._unread: asyncio.TimerHandle | None = None
        self.active = loop.time()

    # asyncio calls these

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's own are of no class of asyncio's
        self._group.open.add(self)
        self._group.counters.opened()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # why is of no use
        """The client has hung up, or we have."""
        self._cancel_timers()
        if self._task is not None:
            self._task.cancel()
        elif self._parser.partial:
            self._parser.partial = False
            self._group.app.ended(self._parser.begun(), None)
        self._waiting.clear()
        self._group.open.discard(self)
        self._group.counters.closed()
        self._group.look()

    def data_received(self, data: bytes) -> None:
        """Read on."""
        if self._lingering >= 0:
            self._lingering -= len(data)
            if self._lingering < 0:
                self._transport.close()
            return
        self.active = self._loop.time()
        resting = self._resting()
        if resting and (answer := self._group.heads.answer(data)) is not None:
            self._transport.write(answer)
            return
        self._taken = None
        self._parser.feed(data)
        if resting and self._taken is not None and not self._parser.partial:
            self._group.heads.learn(data, self._taken)
        if self._parser.partial:
            if self._late is None and self._reading:
                self._late = self._loop.call_later(self._group.timeout_seconds, self._too_late)
        elif self._late is not None and self._lingering < 0:
            self._late.cancel()
            self._late = None

    def eof_received(self) -> bool:
        """The client will send no more; it may still read what it asked for."""
        self._half_closed = True
        return self._lingering < 0 and self._busy()

    def pause_writing(self) -> None:
        """The client does not read its answers."""
        self._writable = False
        self._unread = self._loop.call_later(self._group.timeout_seconds, self._transport.abort)

    def resume_writing(self) -> None:
        """It does again."""
        self._writable = True
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None
        self._advance()

    # the group calls these

    @property
    def descriptor(self) -> int:
        """The socket's."""
        found: int = self._transport.get_extra_info("socket").fileno()
        return found

    @property
    def idle(self) -> bool:
        """Whether no request is under way."""
        return not self._busy() and not self._parser.partial

    def end_if_idle(self) -> None:
        """Close, unless a request is under way."""
        if self.idle:
            self._transport.close()

    def abort(self) -> None:
        """Close without waiting for anything."""
        self._transport.abort()

    # one request after the other

    def _busy(self) -> bool:
        return self._current is not None or bool(self._waiting)

    def _resting(self) -> bool:
        """Say whether what comes now is the beginning of a request that can be answered at once."""
        parser = self._parser
        return (
            self._current is None
            and not parser.partial
            and not parser.ended
            and self._writable
            and not self._waiting
            and not self._group.draining
        )

    def _take(self, request: Parsed) -> None:
        self._taken = request
        if self._late is not None:
            self._late.cancel()
            self._late = None
        self._owes_continue = False
        if self._busy() or not self._writable:
            self._waiting.append(request)
            if len(self._waiting) >= MOST_WAITING and self._reading:
                self._reading = False
                self._transport.pause_reading()
        else:
            self._begin(request)

    def _begin(self, request: Parsed) -> None:
        self._current = request
        answer = self._group.app.answer(request) if request.refused is None else request.refused
        if isinstance(answer, Response):
            self._finish(request, answer)
        else:
            self._task = self._loop.create_task(answer)
            self._task.add_done_callback(self._answered)

    def _answered(self, task: asyncio.Task[Response]) -> None:
        request, self._task = self._current, None
        assert request is not None  # noqa: S101  # the task was its own
        if task.cancelled():
            self._current = None
            self._group.app.ended(request, None)
            return
        self._finish(request, task.result())
        self._advance()

    def _finish(self, request: Parsed, response: Response) -> None:
        self._current = None
        self._group.app.ended(request, response)
        if self._transport.is_closing():
            return
        last = self._group.draining and not self._waiting and not self._parser.partial
        keep_alive = request.head.keep_alive and not response.close and not last
        self.active = self._loop.time()
        self._transport.write(encode(response, request.head, keep_alive=keep_alive))
        if keep_alive:
            if self._half_closed and not self._waiting:
                self._transport.close()
        elif request.refused is not None or response.close:
            self._linger()
        else:
            self._transport.close()

    def _advance(self) -> None:
        while self._waiting and self._current is None and self._writable and not self._transport.is_closing():
            self._begin(self._waiting.popleft())
        if self._transport.is_closing():
            return
        if self._owes_continue and not self._busy():
            self._continue()
        if not self._reading and len(self._waiting) < MOST_WAITING // 2:
            self._reading = True
            self._transport.resume_reading()

    def _continue(self) -> None:
        if self._busy():
            self._owes_continue = True  # its answers come first
        else:
            self._owes_continue = False
            self._transport.write(CONTINUE)

    # what takes too long

    def _too_late(self) -> None:
        self._late = None
        if not self._reading:
            return  # it is us who do not read
        what = "headers were" if self._parser.in_head else "body was"
        seconds = self._group.timeout_seconds
        self._parser.refuse(RequestError(408, "RequestTimeout", f"The {what} not complete after {seconds:g} s."))

    def _linger(self) -> None:
        """Say that nothing more comes, and drop what the client still sends, for a while."""
        if self._half_closed or self._group.draining:
            self._transport.close()
            return
        self._lingering = LINGER_BYTES
        self._late = self._loop.call_later(LINGER_SECONDS, self._transport.close)
        self._transport.write_eof()

    def _cancel_timers(self) -> None:
        for timer in (self._late, self._unread):
            if timer is not None:
                timer.cancel()
        self._late = self._unread = None
