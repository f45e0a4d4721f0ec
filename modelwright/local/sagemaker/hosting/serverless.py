"""A container of a serverless variant: started by a request, ended when nobody has asked for a while.

https://docs.aws.amazon.com/sagemaker/latest/dg/serverless-endpoints.html
"""

from __future__ import annotations

import os
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from modelwright.local.processes.memory import more_than
from modelwright.local.sagemaker.hosting.readiness import ServerFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from modelwright.local.sagemaker.hosting.server import Server
    from modelwright.local.sagemaker.hosting.variant import Value

STARTUP_SECONDS = 180
"""https://docs.aws.amazon.com/sagemaker/latest/dg/serverless-endpoints-invoke.html"""
PAYLOAD_BYTES = 4 << 20
""""4 MB", in and out; the same page"""
IDLE_SECONDS = 300
"""AWS does not say how long a container is kept"""
IDLE_VARIABLE = "MODELWRIGHT_SERVERLESS_IDLE_SECONDS"
LOOK_SECONDS = 0.05
IDLE_LOOK_SECONDS = 1.0


def idle_seconds() -> float:
    """Return how long a container stays that nobody asks."""
    return float(os.environ.get(IDLE_VARIABLE, IDLE_SECONDS))


class ServerlessHost:
    """One container: no process until a request comes, then one that is watched for its memory."""

    def __init__(
        self,
        make: Callable[[], Server],
        limit_bytes: int,
        idle: float,
        *,
        on_line: Callable[[str], None],
        record: Callable[[list[Value]], None],
    ) -> None:
        """`make` makes a server for each cold start; it ends after `idle` seconds without a request."""
        self._make = make
        self.limit_bytes = limit_bytes
        self._idle = idle
        self._on_line = on_line
        self._record = record
        self._lock = threading.Lock()
        self._starting = threading.Lock()
        self._server: Server | None = None
        self._users = 0
        self._asked = threading.Event()
        self._timer: threading.Timer | None = None
        self._stopped = False

    @property
    def servers(self) -> Sequence[Server]:
        """Its server, if it is up."""
        server = self._server
        return () if server is None else (server,)

    def start(self) -> None:
        """Show once that it serves, as AWS does before the endpoint is InService; nothing stays up."""
        server = self._make()
        try:
            server.start()
        finally:
            server.stop(0)

    @contextmanager
    def serving(self, target: str | None) -> Iterator[Server]:  # noqa: ARG002  # it has one model
        """Lend the server for one request; a cold start first if there is none."""
        with self._lock:
            self._users += 1
            self._asked.set()
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
        try:
            yield self._warm()
        finally:
            with self._lock:
                self._users -= 1
                self._rest_later()

    def stop(self, grace_seconds: float = 0) -> None:
        """End it for good."""
        with self._lock:
            self._stopped = True
            if self._timer is not None:
                self._timer.cancel()
            server, self._server = self._server, None
        if server is not None:
            server.stop(grace_seconds)

    def _warm(self) -> Server:
        with self._starting:
            if (found := self._server) is not None and not found.given_up:
                return found
            if found is not None:
                found.stop(0)
            began = time.perf_counter()
            if self._stopped:
                raise ServerFailed("the endpoint ends")
            server = self._make()
            try:
                server.start()
            except BaseException:
                server.stop(0)
                raise
            self._record([("ModelSetupTime", (time.perf_counter() - began) * 1e6, "Microseconds")])
            self._adopt(server)
        threading.Thread(target=self._watch, args=(server,), name="serverless-memory", daemon=True).start()
        return server

    def _adopt(self, server: Server) -> None:
        with self._lock:
            if not self._stopped:
                self._server = server
                return
        server.stop(0)
        raise ServerFailed("the endpoint ends")

    def _rest_later(self) -> None:
        if self._users > 0:
            return
        self._asked.clear()
        if self._server is not None and not self._stopped:
            self._timer = threading.Timer(self._idle, self._rest)
            self._timer.daemon = True
            self._timer.start()

    def _rest(self) -> None:
        with self._starting, self._lock:
            if self._users > 0 or self._stopped:
                return
            server, self._server = self._server, None
        if server is not None:
            server.stop()

    def _watch(self, server: Server) -> None:
        """Kill what has more memory than the variant has, as long as it is up and asked."""
        while self._server is server:
            if not self._asked.wait(IDLE_LOOK_SECONDS):
                continue
            found = 0 if (pid := server.pid) is None else more_than(pid, self.limit_bytes)
            if found:
                self._on_line(
                    f"The container had {found >> 20} MB of memory and may have {self.limit_bytes >> 20} MB: "
                    "it is killed. Give the variant a larger MemorySizeInMB."
                )
                server.kill()
            time.sleep(LOOK_SECONDS)
