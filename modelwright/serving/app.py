"""The ASGI application: SageMaker's three routes, each answer with its status and a JSON body when it is an error.

https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html
"""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modelwright.serving.lane import Lane
from modelwright.serving.model import Answer, Model, Request
from modelwright.serving.problems import RequestError, last_line

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from modelwright.serving.settings import Settings

    Receive = Callable[[], Awaitable[dict[str, Any]]]
    Send = Callable[[dict[str, Any]], Awaitable[None]]

JSON_TYPE = "application/json"
DRAINED_BYTES = 64 * 1024 * 1024
DRAIN_SECONDS = 5
"""so much, so long, is read and dropped behind an early answer: closing before would reset the connection, and its
sender would see a broken pipe instead of the answer"""


class ClientGone(Exception):  # noqa: N818  # not an error of ours: nobody is left to answer
    """The client has hung up before its request was complete."""


@dataclass(frozen=True)
class Response:
    """What is sent back."""

    status: int
    body: bytes = b""
    content_type: str = JSON_TYPE
    close: bool = False


class App:
    """One model behind `/ping`, `/invocations` and `/execution-parameters`."""

    def __init__(
        self, model: Model, settings: Settings, log: Callable[[Mapping[str, Any]], None], on_stuck: Callable[[], None]
    ) -> None:
        """Serve `model`; `log` gets one record a request, `on_stuck` is called when predictions hang for good."""
        self._model = model
        self._settings = settings
        self._log = log
        self._on_stuck = on_stuck
        self._lane = Lane()

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        if scope["type"] != "http":
            raise RuntimeError(f"the model server speaks HTTP only, not {scope['type']}")
        if scope["path"] == "/invocations":
            await self._invocations(scope, receive, send)
        else:
            await _send(send, self._other(scope["path"], scope["method"]))

    def _other(self, path: str, method: str) -> Response:
        if path == "/ping":
            return Response(503 if self._lane.stuck else 200) if method in ("GET", "HEAD") else _not_allowed("GET")
        if path == "/execution-parameters" and self._model.execution_parameters is not None:
            body = json.dumps(self._model.execution_parameters).encode()
            return Response(200, body) if method == "GET" else _not_allowed("GET")
        return _refusal(
            RequestError(404, "NotFound", f"There is no {path}; this server has GET /ping and POST /invocations.")
        )

    async def _invocations(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        request_id = headers.get("x-amzn-sagemaker-inference-id") or uuid.uuid4().hex
        size = 0
        try:
            if scope["method"] != "POST":
                response = _not_allowed("POST")
            else:
                body = await self._body(headers, receive, started)
                size = len(body)
                response = await self._predict(Request(body, headers, request_id), started)
        except ClientGone:
            response = Response(499)
        except RequestError as error:
            response = _refusal(error)
        if response.close:
            await _send_early(send, receive, response, request_id)
        elif response.status != 499:
            await _send(send, response, request_id)
        self._record(request_id, headers, size, response, started)

    async def _body(self, headers: Mapping[str, str], receive: Receive, started: float) -> bytes:
        try:
            async with asyncio.timeout(self._left(started)):
                return await _read_body(headers, receive, self._settings.max_body_bytes)
        except TimeoutError:
            seconds = self._settings.timeout_seconds
            raise RequestError(408, "RequestTimeout", f"The body was not complete after {seconds:g} s.") from None

    async def _predict(self, request: Request, started: float) -> Response:
        prepared = self._model.prepare(request)
        try:
            answer: Answer = await self._lane.run(lambda: self._model.run(prepared), self._left(started))
        except TimeoutError:
            if self._lane.stuck:
                self._on_stuck()
            seconds = self._settings.timeout_seconds
            raise RequestError(504, "ModelTimeout", f"There was no prediction after {seconds:g} s.") from None
        except RequestError:
            raise
        except BaseException as error:
            raise RequestError(500, "ModelError", last_line(error)) from error
        return Response(200, answer.body, answer.content_type) if answer.body else Response(204)

    def _left(self, started: float) -> float:
        return max(0.0, self._settings.timeout_seconds - (time.perf_counter() - started))

    def _record(
        self, request_id: str, headers: Mapping[str, str], size: int, response: Response, started: float
    ) -> None:
        self._log(
            {
                "event": "request",
                "id": request_id,
                "status": response.status,
                "milliseconds": round((time.perf_counter() - started) * 1000, 3),
                "bytes_in": size,
                "bytes_out": len(response.body),
                "content_type": headers.get("content-type", ""),
                "accept": headers.get("accept", ""),
            }
        )


async def _read_body(headers: Mapping[str, str], receive: Receive, most: int) -> bytes:
    """Read the body; RequestError 413 as soon as it is known to be over the limit."""
    try:
        announced = int(headers.get("content-length", "0"))
    except ValueError:
        raise RequestError(400, "BadRequest", "Content-Length is not a number.") from None
    if announced > most:
        raise _too_large(most)
    chunks: list[bytes] = []
    size = 0
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        chunk, more = message.get("body", b""), message.get("more_body", False)
        chunks.append(chunk)
        size += len(chunk)
        if size > most:
            raise _too_large(most)
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _too_large(most: int) -> RequestError:
    return RequestError(413, "PayloadTooLarge", f"The body has more than {most} bytes, the limit of InvokeEndpoint.")


def _not_allowed(method: str) -> Response:
    return _refusal(RequestError(405, "MethodNotAllowed", f"Use {method}."))


def _refusal(error: RequestError) -> Response:
    return Response(error.status, error.body(), close=error.status in (408, 413))


async def _send(send: Send, response: Response, request_id: str = "") -> None:
    await send({"type": "http.response.start", "status": response.status, "headers": _headers(response, request_id)})
    await send({"type": "http.response.body", "body": response.body})


async def _send_early(send: Send, receive: Receive, response: Response, request_id: str) -> None:
    """Answer before the body was read, read on for a while, and close the connection."""
    await send({"type": "http.response.start", "status": response.status, "headers": _headers(response, request_id)})
    await send({"type": "http.response.body", "body": response.body, "more_body": True})
    left = DRAINED_BYTES
    try:
        async with asyncio.timeout(DRAIN_SECONDS):
            while left > 0:
                message = await receive()
                if message["type"] == "http.disconnect" or not message.get("more_body", False):
                    break
                left -= len(message.get("body", b""))
    except TimeoutError:
        pass  # long enough
    await send({"type": "http.response.body", "body": b""})


def _headers(response: Response, request_id: str) -> list[tuple[bytes, bytes]]:
    headers = [] if response.status == 204 else [(b"content-length", str(len(response.body)).encode())]
    if response.body:
        headers.append((b"content-type", response.content_type.encode("latin-1", "replace")))
    if request_id:
        headers.append((b"x-amzn-requestid", request_id.encode("latin-1", "replace")))
    if response.close:
        headers.append((b"connection", b"close"))
    return headers
