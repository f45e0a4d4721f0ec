"""HTTP to one model server: connections are kept open and lent to one request at a time."""

from __future__ import annotations

import http.client
import select
import socket
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_IDLE = 64


class NotConnected(OSError):  # noqa: N818  # what became of the request
    """Nothing listens on the port: the request was not sent."""


@dataclass(frozen=True)
class Reply:
    """A model server's answer; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Connections:
    """The connections to one port of 127.0.0.1."""

    def __init__(self, port: int) -> None:
        """Connect when the first request needs it."""
        self.port = port
        self._idle: list[http.client.HTTPConnection] = []
        self._lock = threading.Lock()
        self._closed = False

    def exchange(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None, seconds: float) -> Reply:
        """Send one request and return the answer; OSError or http.client.HTTPException when there is none.

        NotConnected when it was not even sent.

        A request is never sent twice: a prediction may have side effects, and one that kills its server must not kill
        the next. A connection that the server has closed meanwhile is not used.
        """
        connection = self._borrow(seconds)
        try:
            connection.request(method, path, body, dict(headers))
            response = connection.getresponse()
            reply = Reply(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        except BaseException:
            connection.close()
            raise
        if response.will_close:
            connection.close()
        else:
            self._give_back(connection)
        return reply

    def close(self) -> None:
        """Close what is idle; what is lent is closed when it comes back."""
        with self._lock:
            idle, self._idle, self._closed = self._idle, [], True
        for connection in idle:
            connection.close()

    def _borrow(self, seconds: float) -> http.client.HTTPConnection:
        while True:
            with self._lock:
                connection = self._idle.pop() if self._idle else None
            if connection is None:
                return self._connect(seconds)
            if connection.sock is not None and not _readable(connection.sock):
                connection.sock.settimeout(seconds)
                return connection
            connection.close()

    def _connect(self, seconds: float) -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=seconds)
        try:
            connection.connect()
        except ConnectionRefusedError as error:
            raise NotConnected(str(error)) from None
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def _give_back(self, connection: http.client.HTTPConnection) -> None:
        with self._lock:
            if not self._closed and len(self._idle) < MOST_IDLE:
                self._idle.append(connection)
                return
        connection.close()


def _readable(sock: socket.socket) -> bool:
    """Say whether an idle connection has something to read: then it is the server's good-bye."""
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    return bool(poll.poll(0))
