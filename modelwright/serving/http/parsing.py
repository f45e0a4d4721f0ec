"""A byte stream becomes requests: httptools with limits on every part. Nothing here knows of sockets."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import httptools

from modelwright.serving.http.messages import Head, Response, refusal
from modelwright.serving.problems import RequestError

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_URL_BYTES = 8 * 1024
MOST_HEAD_BYTES = 32 * 1024
"""method, URL and all headers; InvokeEndpoint's own headers have at most 1024 characters each:
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html"""


_VERSIONS = frozenset({"1.0", "1.1"})


class _Stop(Exception):  # noqa: N818  # no error: the way out of httptools
    """Nothing more is read from this connection."""


@dataclass(slots=True)
class Parsed:
    """A complete request with its body, or (`refused`) why it never will be one."""

    head: Head
    body: bytes = b""
    size: int = 0
    """how much of the body has arrived"""
    refused: Response | None = None


class Parser:
    """Feed it bytes in any pieces: the same stream gives the same requests, then perhaps one refusal, which is last."""

    def __init__(self, most_body_bytes: int, take: Callable[[Parsed], None], send_continue: Callable[[], None]) -> None:
        """`take` gets each request; `send_continue` is called when a client waits for leave to send its body."""
        self._most_body_bytes = most_body_bytes
        self._take = take
        self._send_continue = send_continue
        self._parser = httptools.HttpRequestParser(self)
        self._head = Head()
        self._url = b""
        self._head_bytes = self._fed_bytes = 0
        self._chunks: list[bytes] = []
        self._size = 0
        self._declining = False
        """whether an upgrade was asked for beside a body, which httptools leaves out: it is parsed behind a new head"""
        self.in_head = False
        """whether that is in its head still"""
        self.partial = False
        """whether a request has begun and is not complete"""
        self.ended = False
        """whether what follows is dropped: after a refusal or a request that closes its connection"""

    def feed(self, data: bytes) -> None:
        """Take the next bytes."""
        before = self._head if self.in_head else None
        while data and not self.ended:
            try:
                self._parser.feed_data(data)
            except httptools.HttpParserUpgrade as upgrade:  # declined by going on with HTTP/1.1
                data = data[upgrade.args[0] :]
                self._parser = httptools.HttpRequestParser(self)
                if self._declining:
                    self._parser.feed_data(_framing(self._head))
                continue
            except httptools.HttpParserError as error:
                self._fault(error)
            break
        if self.in_head and self._head is before and not self.ended:
            self._fed_bytes += len(data)  # one long header tells nothing of itself until it is complete
            if self._fed_bytes > 2 * MOST_HEAD_BYTES:
                self._refuse(_too_long_head())

    def refuse(self, error: RequestError) -> None:
        """Give up the request that has begun."""
        if self.partial and not self.ended:
            self._refuse(error)

    def begun(self) -> Parsed:
        """Return the request that has begun, as far as it has come."""
        return Parsed(self._head, b"", self._size)

    def _fault(self, error: httptools.HttpParserError) -> None:
        if not self.ended:
            self._refuse(RequestError(400, "BadRequest", f"This is no HTTP/1.1 request: {error}."))

    def _refuse(self, error: RequestError) -> None:
        self.partial, self.ended = False, True
        if self.in_head:
            self._head.method = self._head.method or _method(self._parser)
            self._head.path = self._head.path or _path(self._url)
        response = refusal(error)
        response.close = True
        self._take(Parsed(self._head, b"", self._size, response))

    # httptools calls these

    def on_message_begin(self) -> None:
        """Begin a request."""
        if self.ended:
            raise _Stop
        if self._declining:
            return
        self._head = Head(started=time.perf_counter())
        self._url, self._chunks = b"", []
        self._head_bytes = self._fed_bytes = self._size = 0
        self.in_head = self.partial = True

    def on_url(self, piece: bytes) -> None:
        """Take a piece of the URL."""
        if self._declining:
            return
        self._url += piece
        if len(self._url) > MOST_URL_BYTES:
            self._stop(RequestError(414, "UriTooLong", f"The URL has more than {MOST_URL_BYTES} bytes."))

    def on_header(self, name: bytes, value: bytes | None) -> None:
        """Take one header; those behind a body are counted only: https://www.rfc-editor.org/rfc/rfc9110#section-6.5.1."""
        if self._declining:
            return
        value = value or b""
        self._head_bytes += len(name) + len(value) + 4
        if self._head_bytes + len(self._url) > MOST_HEAD_BYTES:
            self._stop(_too_long_head())
        if not self.in_head:
            return
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        headers = self._head.headers
        headers[key] = f"{headers[key]}, {text}" if key in headers else text

    def on_headers_complete(self) -> None:
        """Refuse what need not be read, or let the body come."""
        if self._declining:
            self._declining = False
            return
        self.in_head = False
        head, parser = self._head, self._parser
        head.method, head.path = _method(parser), _path(self._url)
        head.keep_alive = parser.should_keep_alive()
        version = parser.get_http_version()
        head.is_http10 = version == "1.0"
        length = head.headers.get("content-length", "")
        self._check_framing(version, head.headers.get("transfer-encoding"))
        if length and int(length) > self._most_body_bytes:  # httptools has looked that it is a number
            self._stop(self._too_large())
        expected = head.headers.get("expect")
        if expected is not None and not head.is_http10:
            if expected.lower() != "100-continue":
                self._stop(RequestError(417, "ExpectationFailed", f"Expect is {expected!r}; only 100-continue can be."))
            self._send_continue()
        self._declining = parser.should_upgrade() and _has_body(head)

    def on_body(self, piece: bytes) -> None:
        """Take a piece of the body, without its chunks' frames."""
        self._size += len(piece)
        if self._size > self._most_body_bytes:
            self._stop(self._too_large())
        self._chunks.append(piece)

    def on_message_complete(self) -> None:
        """Hand the request over."""
        if self._declining:
            return
        self.partial = False
        self.ended = not self._head.keep_alive
        chunks = self._chunks
        self._take(Parsed(self._head, chunks[0] if len(chunks) == 1 else b"".join(chunks), self._size))

    def _check_framing(self, version: str, coding: str | None) -> None:
        """Refuse what another server in front of this one might read in another way.

        https://www.rfc-editor.org/rfc/rfc9112#section-6.1
        """
        if version not in _VERSIONS:
            self._stop(RequestError(505, "HttpVersionNotSupported", f"This server speaks HTTP/1.1, not {version}."))
        if coding is None:
            return
        if version == "1.0":
            self._stop(RequestError(400, "BadRequest", "HTTP/1.0 has no Transfer-Encoding."))
        if coding.lower() != "chunked":
            text = f"Transfer-Encoding is {coding!r}; only chunked is read."
            self._stop(RequestError(501, "NotImplemented", text))

    def _stop(self, error: RequestError) -> None:
        self._refuse(error)
        raise _Stop

    def _too_large(self) -> RequestError:
        text = f"The body has more than {self._most_body_bytes} bytes, the limit of InvokeEndpoint."
        return RequestError(413, "PayloadTooLarge", text)


def _too_long_head() -> RequestError:
    text = f"The request's headers have more than {MOST_HEAD_BYTES} bytes."
    return RequestError(431, "RequestHeaderFieldsTooLarge", text)


def _method(parser: httptools.HttpRequestParser) -> str:
    return str(parser.get_method(), "latin-1")


def _path(url: bytes) -> str:
    text = url.decode("latin-1")
    path = text.partition("?")[0] if text.startswith("/") else _path_of_absolute(text)
    return unquote(path) if "%" in path else path


def _path_of_absolute(url: str) -> str:
    """Return the path of `http://host/path`; the whole of what is no URL, which is no route of ours."""
    try:
        return urlsplit(url).path
    except ValueError:
        return url


def _has_body(head: Head) -> bool:
    return "transfer-encoding" in head.headers or head.headers.get("content-length", "0").strip("0") != ""


def _framing(head: Head) -> bytes:
    """Return a head that says no more than how the body ends."""
    length = head.headers.get("content-length")
    said = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
    return f"POST / HTTP/1.1\r\n{said}\r\n\r\n".encode()
