"""One process that serves a model: it listens, answers, and drains on SIGTERM."""

from __future__ import annotations

import asyncio
import errno
import signal
import socket
from typing import TYPE_CHECKING

import uvloop

from modelwright.serving.app import App
from modelwright.serving.http.connection import Connection
from modelwright.serving.http.group import Group
from modelwright.serving.http.listening import take_no_more
from modelwright.serving.log import Log
from modelwright.serving.process import forks
from modelwright.serving.process.counters import Counters

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelwright.serving.model import Model
    from modelwright.serving.process.worker import Share
    from modelwright.serving.settings import Settings

DRAIN_SECONDS = 25
"""SageMaker sends SIGKILL thirty seconds after SIGTERM:
https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html"""
GRACE_SECONDS = 0.05
"""while draining, an idle connection stays so long: a request that was on its way is answered, then told to close"""
IDLE_SECONDS = 3600
"""a connection may stay idle that long: the platform's pool, not the server, decides when it is of no more use"""
SWEEP_SECONDS = 60
BACKLOG = 2048
EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
"""No room for one more connection, of this process or of the machine."""
REST_SECONDS = 1
PACKED_CONNECTIONS = 16
"""of a worker whose model gathers requests, before the next gets one: requests that come to two are two calls"""
PATIENCE_SECONDS = 0.001
"""so long a worker leaves a new connection to those that have fewer"""


def serve(
    model: Model,
    settings: Settings,
    listener: socket.socket,
    on_listening: Callable[[], None],
    share: Share | None = None,
) -> int:
    """Serve on a bound socket until SIGTERM; return the exit code, 1 when predictions hang for good."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_Process(model, settings, listener, share).run(on_listening))


class _Process:
    def __init__(self, model: Model, settings: Settings, listener: socket.socket, share: Share | None = None) -> None:
        self._model = model
        self._settings = settings
        self._listener = listener
        self._failed = False
        self._share = share
        self._counters = share.counters if share else Counters(1).of(0)
        self._packed = PACKED_CONNECTIONS if getattr(model, "gathers", False) else 0
        self._log = Log()
        self._again: asyncio.TimerHandle | None = None
        """when connections are accepted again, after there was no room for one, or another worker had fewer"""
        self._patient = False
        """whether the other workers have had the time to take the connection that is offered"""

    async def run(self, on_listening: Callable[[], None]) -> int:
        loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        log = self._log
        app = App(self._model, self._settings, log, self._give_up, self._counters)
        self._group = Group(app, self._settings.max_body_bytes, self._settings.timeout_seconds, self._counters)
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        self._listener.setblocking(False)
        self._listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._listener.listen(BACKLOG)
        self._watch()
        if self._share is not None:
            loop.add_reader(self._share.lifeline, self._stop.set)
        sweep = loop.create_task(self._sweep())
        self._counters.serving(True)
        with forks.apart(self._descriptors):
            on_listening()
            await self._stop.wait()
            sweep.cancel()
            await self._drain()
        log.record({"event": "stopped", "because": "predictions hang" if self._failed else "SIGTERM"})
        log.flush()
        return int(self._failed)

    def _descriptors(self) -> list[int]:
        """Return those of the socket that listens and of all connections."""
        return [self._listener.fileno(), *(connection.descriptor for connection in self._group.open)]

    def _give_up(self) -> None:
        self._failed = True
        self._stop.set()

    def _offered(self) -> None:
        """Take a connection, unless another worker has fewer: then look away, for a moment, so that it takes it."""
        if self._counters.ahead(self._packed) and not self._patient:
            asyncio.get_running_loop().remove_reader(self._listener)
            self._patient = True
            self._again = asyncio.get_running_loop().call_later(PATIENCE_SECONDS, self._watch)
            return
        self._patient = False
        self._accept()

    def _accept(self) -> bool:
        """Take one connection, so that other processes on the same socket get theirs; False when there is none."""
        try:
            client, _ = self._listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return False
        except OSError as error:  # all others are a network's: https://man7.org/linux/man-pages/man2/accept.2.html
            room = error.errno in EXHAUSTED and self._group.make_room()
            self._rest(error, PATIENCE_SECONDS if room else REST_SECONDS)
            return False
        loop = asyncio.get_running_loop()
        making = loop.connect_accepted_socket(lambda: Connection(self._group, loop), client)
        task = loop.create_task(making)
        self._group.arriving.add(task)
        task.add_done_callback(self._group.arriving.discard)
        return True

    def _rest(self, error: OSError, seconds: float) -> None:
        """Let those who wait wait: asked again at once, the event loop would do nothing else."""
        self._log.record({"event": "not accepting", "because": error.strerror, "seconds": seconds})
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._listener)
        if self._again is None:
            self._again = loop.call_later(seconds, self._watch)

    def _watch(self) -> None:
        self._again = None
        asyncio.get_running_loop().add_reader(self._listener, self._offered)

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            self._group.close_idle(asyncio.get_running_loop().time() - IDLE_SECONDS)

    async def _drain(self) -> None:
        """End without losing a request: also who has connected and not been accepted is answered."""
        asyncio.get_running_loop().remove_reader(self._listener)
        if not self._failed or self._share is None:  # else other workers go on, and take who has connected
            take_no_more(self._listener)
            while self._accept():
                pass
        if self._again is not None:
            self._again.cancel()
        self._listener.close()
        if self._group.arriving:
            await asyncio.gather(*self._group.arriving, return_exceptions=True)
        self._group.draining = True
        if self._group.open:
            await asyncio.sleep(GRACE_SECONDS)
        self._group.drain()
        try:
            async with asyncio.timeout(DRAIN_SECONDS):
                await self._group.empty.wait()
        except TimeoutError:
            self._group.abort()
