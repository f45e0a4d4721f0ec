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
from typing import TYPE_CHECKING, BinaryIO, Protocol, cast

from modelwright.local.calls.bodies import (
    MAX_HEADER_BYTES,
    BadRequestError,
    is_chunked,
    read_blocks,
    read_headers,
)

if TYPE_CHECKING:
    from modelwright.local.calls.uploads import Upload
    from modelwright.local.store.file_bytes import FilePart

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class HttpRequest:
    """A request as it arrived: `target` still percent-encoded, header names lower-case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes = field(default=b"", repr=False)
    repeated: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """The values of headers that came more than once; in `headers` they are one, with commas."""
    upload: Upload | None = field(default=None, repr=False)
    """of a body that an object may become; a large one is not in `body`"""

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
    file: FilePart | None = None
    """what is sent in place of `body`"""

    @property
    def size(self) -> int:
        """The length of what is sent."""
        return len(self.body) if self.file is None else self.file.size


Answer = Callable[[HttpRequest], HttpResponse]


class Receiver(Protocol):
    """Receives large bodies."""

    def wants(self, method: str, target: str, headers: Mapping[str, str]) -> bool:
        """True when the body of this request is to be given to `receive`."""

    def receive(self, headers: dict[str, str], blocks: Iterator[bytes]) -> Upload:
        """Read a body to its end."""


class HttpServer:
    """Serves `answer` on 127.0.0.1, a thread for each connection."""

    def __init__(self, answer: Answer, port: int = 0, receiver: Receiver | None = None) -> None:
        """Bind; connections are accepted (and wait) from here on, answered from `start` on."""
        self._answer = answer
        self._receiver = receiver
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
            request = read_request(stream, lambda: connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n"), self._receiver)
        except BadRequestError as error:
            _send(connection, HttpResponse(error.status, {"Connection": "close"}, str(error).encode()), head=False)
            return False
        if request is None:
            return False
        try:
            response = self._answer(request)
        finally:
            if request.upload is not None:
                request.upload.release()
        _send(connection, response, head=request.method == "HEAD")
        return request.headers.get("connection", "").lower() != "close"


def read_request(
    stream: BinaryIO, send_continue: Callable[[], None], receiver: Receiver | None = None
) -> HttpRequest | None:
    """Read one request; None when the connection was closed before its first byte."""
    line = stream.readline(MAX_HEADER_BYTES)
    if not line:
        return None
    method, target, version = _request_line(line)
    headers, repeated = read_headers(stream)
    if version == "HTTP/1.0":
        headers.setdefault("connection", "close")
    if headers.get("expect", "").lower() == "100-continue":
        send_continue()
    if receiver is not None and receiver.wants(method, target, headers):
        upload = receiver.receive(headers, read_blocks(stream, headers))
        return HttpRequest(method, target, _plain(upload), upload.body, repeated, upload)
    body = b"".join(read_blocks(stream, headers))
    if is_chunked(headers):
        headers["content-length"] = str(len(body))
        del headers["transfer-encoding"]
    return HttpRequest(method, target, headers, body, repeated)


def _plain(upload: Upload) -> dict[str, str]:
    """The headers of a body of known length, however it came."""
    size = len(upload.body) if upload.content is None else len(upload.content)
    headers = {name: value for name, value in upload.headers.items() if name != "transfer-encoding"}
    return headers if "content-length" in headers else {**headers, "content-length": str(size)}


def _request_line(line: bytes) -> tuple[str, str, str]:
    parts = line.decode("latin-1").split()
    if len(parts) != 3 or parts[2] not in {"HTTP/1.1", "HTTP/1.0"} or not line.endswith(b"\n"):
        raise BadRequestError(400, "this is not an HTTP/1.1 request")
    method, target, version = parts
    if target.startswith("http://"):  # the absolute form that a proxy is sent
        target = "/" + target[7:].partition("/")[2]
    return method, target, version


def _send(connection: socket.socket, response: HttpResponse, *, head: bool) -> None:
    phrase = HTTPStatus(response.status).phrase if response.status in HTTPStatus._value2member_map_ else ""
    lines = [f"HTTP/1.1 {response.status} {phrase}"]
    lines += [f"{name}: {value}" for name, value in (*response.headers.items(), *response.further_headers)]
    if not any(name.lower() == "content-length" for name in response.headers):
        lines.append(f"Content-Length: {response.size}")
    top = ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8")
    if response.file is not None and not head:
        connection.sendall(top)
        with response.file.path.open("rb") as file:
            connection.sendfile(file, response.file.offset, response.file.size)
    elif head or not response.body:
        connection.sendall(top)
    elif len(response.body) < 64 * 1024:
        connection.sendall(top + response.body)
    else:
        connection.sendall(top)
        connection.sendall(response.body)
