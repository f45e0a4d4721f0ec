"""One HTTP request and its answer, and a small threaded HTTP/1.1 server for loopback.

The standard library's server parses headers with the e-mail parser and werkzeug's closes each connection: both cost
more than everything else that a call does. This one keeps connections open, answers `Expect: 100-continue` at once
(botocore waits for it before it sends an object), and sends nothing late (TCP_NODELAY, one write).
"""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import BinaryIO, cast

log = logging.getLogger(__name__)

MAX_HEADER_BYTES = 64 * 1024
MAX_BODY_BYTES = (
    5 * 1024**3
)  # S3's own limit of one PUT, https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html


@dataclass(frozen=True)
class HttpRequest:
    """A request as it arrived: `target` still percent-encoded, header names lower-case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes = field(default=b"", repr=False)
    repeated: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """The values of headers that came more than once; in `headers` they are one, with commas."""

    @property
    def path(self) -> str:
        """The path, still percent-encoded."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        """The query string, still percent-encoded, without the question mark."""
        return self.target.partition("?")[2]


@dataclass(frozen=True)
class HttpResponse:
    """An answer: `Content-Length` is added where there is none."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(default=b"", repr=False)
    further_headers: Sequence[tuple[str, str]] = ()
    """Header lines beside those of `headers`: a name may be there several times."""


class BadRequestError(Exception):
    """Not HTTP as this server speaks it."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


Answer = Callable[[HttpRequest], HttpResponse]


class HttpServer:
    """Serves `answer` on 127.0.0.1, a thread for each connection."""

    def __init__(self, answer: Answer, port: int = 0) -> None:
        """Bind; connections are accepted (and wait) from here on, answered from `start` on."""
        self._answer = answer
        self._listener = socket.create_server(("127.0.0.1", port), backlog=256)
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._closing = False
        self.port: int = self._listener.getsockname()[1]

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Accept connections in a thread."""
        threading.Thread(target=self._accept, name="http-accept", daemon=True).start()

    def stop(self) -> None:
        """Stop listening and close every connection."""
        with self._lock:
            self._closing = True
            connections = list(self._connections)
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes the accepting thread
        self._listener.close()
        for connection in connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                if self._closing:
                    return
                log.exception("cannot accept a connection")
                continue
            threading.Thread(target=self._serve, args=(connection,), name="http", daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with self._lock:
            if self._closing:
                connection.close()
                return
            self._connections.add(connection)
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with connection, connection.makefile("rb", buffering=64 * 1024) as stream:
                while self._serve_one(connection, cast("BinaryIO", stream)):
                    pass
        except OSError:
            pass  # the client is gone; nothing is owed to it
        finally:
            with self._lock:
                self._connections.discard(connection)

    def _serve_one(self, connection: socket.socket, stream: BinaryIO) -> bool:
        """Answer one request; False when the connection ends."""
        try:
            request = read_request(stream, lambda: connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n"))
        except BadRequestError as error:
            _send(connection, HttpResponse(error.status, {"Connection": "close"}, str(error).encode()), head=False)
            return False
        if request is None:
            return False
        _send(connection, self._answer(request), head=request.method == "HEAD")
        return request.headers.get("connection", "").lower() != "close"


def read_request(stream: BinaryIO, send_continue: Callable[[], None]) -> HttpRequest | None:
    """Read one request; None when the connection was closed before its first byte."""
    line = stream.readline(MAX_HEADER_BYTES)
    if not line:
        return None
    method, target, version = _request_line(line)
    headers, repeated = _headers(stream)
    if version == "HTTP/1.0":
        headers.setdefault("connection", "close")
    if headers.get("expect", "").lower() == "100-continue":
        send_continue()
    if headers.get("transfer-encoding", "").lower() == "chunked":
        body = b"".join(_chunks(stream))
        headers["content-length"] = str(len(body))
        del headers["transfer-encoding"]
    else:
        body = _exactly(stream, _length(headers.get("content-length", "0")))
    return HttpRequest(method, target, headers, body, repeated)


def _request_line(line: bytes) -> tuple[str, str, str]:
    parts = line.decode("latin-1").split()
    if len(parts) != 3 or parts[2] not in {"HTTP/1.1", "HTTP/1.0"} or not line.endswith(b"\n"):
        raise BadRequestError(400, "this is not an HTTP/1.1 request")
    method, target, version = parts
    if target.startswith("http://"):  # the absolute form that a proxy is sent
        target = "/" + target[7:].partition("/")[2]
    return method, target, version


def _headers(stream: BinaryIO) -> tuple[dict[str, str], dict[str, list[str]]]:
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


def _exactly(stream: BinaryIO, length: int) -> bytes:
    body = stream.read(length) if length else b""
    if len(body) != length:
        raise BadRequestError(400, f"the body ends after {len(body)} of {length} bytes")
    return body


def _chunks(stream: BinaryIO) -> Iterator[bytes]:
    while True:
        size_text = stream.readline(MAX_HEADER_BYTES).partition(b";")[0].strip()
        try:
            size = int(size_text, 16)
        except ValueError:
            raise BadRequestError(400, "a chunk does not begin with its size") from None
        if size == 0:
            _headers(stream)  # trailers
            return
        yield _exactly(stream, size)
        stream.readline(3)


def _send(connection: socket.socket, response: HttpResponse, *, head: bool) -> None:
    phrase = HTTPStatus(response.status).phrase if response.status in HTTPStatus._value2member_map_ else ""
    lines = [f"HTTP/1.1 {response.status} {phrase}"]
    lines += [f"{name}: {value}" for name, value in (*response.headers.items(), *response.further_headers)]
    if not any(name.lower() == "content-length" for name in response.headers):
        lines.append(f"Content-Length: {len(response.body)}")
    top = ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8")
    if head or not response.body:
        connection.sendall(top)
    elif len(response.body) < 64 * 1024:
        connection.sendall(top + response.body)
    else:
        connection.sendall(top)
        connection.sendall(response.body)
