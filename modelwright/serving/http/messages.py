"""What the connection and the application tell each other: a request's head, a response and its bytes."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from modelwright.serving.problems import RequestError

REQUEST_ID = "x-amzn-sagemaker-inference-id"
JSON_TYPE = "application/json"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_TIMING = b"server-timing: model;dur=%.3f\r\n"
"""milliseconds since the request's first byte: https://www.w3.org/TR/server-timing/"""
_CLOSING = frozenset({408, 413, 414, 431})
"""refusals of requests that were not read to their end: nothing can follow them on their connection"""


@dataclass(slots=True)
class Head:
    """A request without its body. Header names are in lower case; several of one name are joined by a comma."""

    method: str = ""
    path: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    keep_alive: bool = False
    is_http10: bool = False
    started: float = 0.0
    """`time.perf_counter()` at its first byte"""
    request_id: str = ""
    """set by the application, for what it answers and logs"""
    model_nanoseconds: int = 0
    """set by the application: how long the model itself took"""


@dataclass(slots=True)
class Response:
    """What is sent back."""

    status: int
    body: bytes = b""
    content_type: str = JSON_TYPE
    close: bool = False
    allow: str = ""
    """of a 405, the methods that there are: https://www.rfc-editor.org/rfc/rfc9110#section-15.5.6"""


def refusal(error: RequestError) -> Response:
    """Return the JSON answer of an error."""
    return Response(error.status, error.body(), close=error.status in _CLOSING)


def encode(response: Response, head: Head, *, keep_alive: bool) -> bytes:
    """Return the response as it goes over the wire; HEAD gets no body."""
    lines = _status_line(response.status)
    if response.status != 204:
        lines += b"content-length: %d\r\n" % len(response.body)
    if response.body:
        lines += b"content-type: %b\r\n" % _header_value(response.content_type)
    if head.request_id:
        lines += b"x-amzn-requestid: %b\r\n" % _header_value(head.request_id)
    if head.model_nanoseconds:
        lines += _TIMING % ((time.perf_counter() - head.started) * 1e3)
    if response.allow:
        lines += b"allow: %b\r\n" % response.allow.encode()
    if not keep_alive:
        lines += b"connection: close\r\n"
    elif head.is_http10:
        lines += b"connection: keep-alive\r\n"
    return lines + b"\r\n" if head.method == "HEAD" else lines + b"\r\n" + response.body


def quick_template(content_type: str) -> bytes:
    """Return a 200 of a kept connection with `%` conversions: body's length, request's id, milliseconds, body."""
    kind = _header_value(content_type).replace(b"%", b"%%")
    lines = _status_line(200) + b"content-length: %d\r\n" + b"content-type: %b\r\n" % kind
    return lines + b"x-amzn-requestid: %b\r\n" + _TIMING + b"\r\n%b"


def _header_value(text: str) -> bytes:
    """Return a header's value; a line end in it, from a script, must not begin another header."""
    return text.translate(_CONTROLS).encode("latin-1", "replace")


_CONTROLS = dict.fromkeys([*range(32), 127], " ")
_STATUS_LINES: dict[int, bytes] = {}


def _status_line(status: int) -> bytes:
    line = _STATUS_LINES.get(status)
    if line is None:
        phrase = HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else "Error"
        line = _STATUS_LINES[status] = b"HTTP/1.1 %d %b\r\n" % (status, phrase.encode())
    return line
