"""The application: SageMaker's three routes, each answer with its status and a JSON body when it is an error.

https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import time
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from modelwright.serving.http.messages import REQUEST_ID, Response, quick_template, refusal
from modelwright.serving.log import request_line, request_template
from modelwright.serving.model import Answer, Model, Quick, QuickModel, Request
from modelwright.serving.problems import RequestError, last_line
from modelwright.serving.process.counters import TEXT, Counters, WorkerCounters
from modelwright.serving.scripts.lane import Lane

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

    from modelwright.serving.http.messages import Head
    from modelwright.serving.http.parsing import Parsed
    from modelwright.serving.log import Log
    from modelwright.serving.settings import Settings

INVOCATIONS = "/invocations"
INLINE_BYTES = 64 * 1024
"""a larger body takes milliseconds to read, for which the event loop would answer nobody"""
CLIENT_GONE = 499
"""nginx's status, in the log only: nobody was left to answer"""
_clock = time.perf_counter_ns
_WAYS_KEPT = 256
"""so many different pairs of Content-Type and Accept"""


@dataclass(frozen=True, slots=True)
class Known:
    """What answers requests with a head that was seen before, byte by byte."""

    length: int
    """of the body, which is in the head"""
    answer: Callable[[bytes, bytes | None], bytes | None]
    """body, and the request's own id, to the whole response, counted and logged; None: nothing was done, parse it"""


class App:
    """One model behind `/ping`, `/invocations`, `/execution-parameters` and `/metrics`."""

    def __init__(
        self,
        model: Model,
        settings: Settings,
        log: Log,
        on_stuck: Callable[[], None],
        counters: WorkerCounters | None = None,
    ) -> None:
        """Serve `model`; `log` gets one line a request, `on_stuck` is called when predictions hang for good."""
        self._model = model
        self._inline = model.inline
        self._seconds = settings.timeout_seconds
        self._log = log
        self._on_stuck = on_stuck
        self._lane = Lane(model)
        self._counters = counters or Counters(1).of(0)
        self._process = f"{_random():016x}"
        self._numbers = itertools.count(_random() >> 1)
        self._way: Callable[[str, str], Quick | None] | None = None
        if model.inline and isinstance(model, QuickModel):
            self._way = lru_cache(_WAYS_KEPT)(model.quick)

    def known(self, head: Head, length: int) -> Known | None:
        """Return what answers more requests with this head and a body of this length; None when nothing quick does."""
        way = self._quick_way(head.headers, length) if head.path == INVOCATIONS and head.method == "POST" else None
        if way is None:
            return None
        respond, line = quick_template(way.content_type), request_template(200, length, head.headers)
        process, numbers = f"{self._process}%016x".encode(), self._numbers
        find, log, count, clock = way.answer, self._log.line, self._counters.count_quick, _clock

        def answer(body: bytes, own: bytes | None) -> bytes | None:
            started = clock()
            try:
                found = find(body)
            except Exception:  # noqa: BLE001  # the long way meets it again, and tells
                return None
            if found is None:
                return None
            name = process % next(numbers) if own is None else own
            size, taken = len(found), clock() - started
            milliseconds = taken / 1e6
            log(line % (name, milliseconds, size))
            count(taken)
            return respond % (size, name, milliseconds, found)

        return Known(length, answer)

    def answer(self, request: Parsed) -> Response | Coroutine[None, None, Response]:
        """Answer one request: at once, unless the model needs a thread."""
        head = request.head
        if head.path != INVOCATIONS:
            return self._other(head.path, head.method)
        head.request_id = self._id(head)
        if head.method != "POST":
            return _not_allowed("POST")
        try:
            return self._invoke(request, head)
        except RequestError as error:
            return refusal(error)
        except Exception as error:  # noqa: BLE001  # whatever a model raises is that request's
            return refusal(RequestError(500, "ModelError", last_line(error)))

    def ended(self, request: Parsed, response: Response | None) -> None:
        """Count the request and write its line of the log, for what was asked of the model."""
        head = request.head
        if head.path != INVOCATIONS:
            return
        taken = max(0, int((time.perf_counter() - head.started) * 1e9))
        status, size = (CLIENT_GONE, 0) if response is None else (response.status, len(response.body))
        self._counters.count(status, taken, head.model_nanoseconds)
        head.request_id = head.request_id or self._id(head)
        self._log.line(request_line(head, status, taken / 1e6, (request.size, size)))

    def _id(self, head: Head) -> str:
        return head.headers.get(REQUEST_ID) or f"{self._process}{next(self._numbers):016x}"

    def _quick_way(self, headers: Mapping[str, str], length: int) -> Quick | None:
        if self._way is None or not 0 < length <= INLINE_BYTES or "content-encoding" in headers:
            return None
        return self._way(headers.get("content-type", ""), headers.get("accept", ""))

    def _invoke(self, request: Parsed, head: Head) -> Response | Coroutine[None, None, Response]:
        body, started = request.body, _clock()
        way = self._quick_way(head.headers, len(body))
        found = None if way is None else way.answer(body)
        if way is not None and found is not None:
            head.model_nanoseconds = _clock() - started
            return Response(200, found, way.content_type)
        _check_coding(head.headers.get("content-encoding", "identity"))
        prepared = self._model.prepare(Request(body, head.headers, head.request_id))
        if not self._inline or len(body) > INLINE_BYTES:
            return self._predict(prepared, head)
        try:
            return _response(self._model.run(prepared))
        finally:
            head.model_nanoseconds = _clock() - started

    def _other(self, path: str, method: str) -> Response:
        if path == "/ping":
            return Response(503 if self._lane.stuck else 200) if method in ("GET", "HEAD") else _not_allowed("GET")
        if path == "/metrics":
            text = self._counters.everybody.as_text()
            return Response(200, text, TEXT) if method in ("GET", "HEAD") else _not_allowed("GET")
        if path == "/execution-parameters" and self._model.execution_parameters is not None:
            body = json.dumps(self._model.execution_parameters).encode()
            return Response(200, body) if method in ("GET", "HEAD") else _not_allowed("GET")
        return refusal(
            RequestError(404, "NotFound", f"There is no {path}; this server has GET /ping and POST /invocations.")
        )

    async def _predict(self, prepared: Any, head: Head) -> Response:
        left, started = max(0.0, self._seconds - (time.perf_counter() - head.started)), _clock()
        try:
            return _response(await self._lane.run(prepared, left))
        except TimeoutError:
            if self._lane.stuck:
                self._on_stuck()
            return refusal(RequestError(504, "ModelTimeout", f"There was no prediction after {self._seconds:g} s."))
        except RequestError as error:
            return refusal(error)
        except asyncio.CancelledError:
            raise  # the client is gone
        except BaseException as error:  # noqa: BLE001  # whatever a model raises is that request's
            return refusal(RequestError(500, "ModelError", last_line(error)))
        finally:
            head.model_nanoseconds = _clock() - started


def _response(answer: Answer) -> Response:
    return Response(200, answer.body, answer.content_type) if answer.body else Response(204)


def _check_coding(coding: str) -> None:
    """Refuse a compressed body; InvokeEndpoint has no header for one: https://www.rfc-editor.org/rfc/rfc9110#section-8.4."""
    if coding.strip().lower() not in ("", "identity"):
        message = f"Content-Encoding is {coding!r}; the body must be sent as it is."
        raise RequestError(415, "UnsupportedMediaType", message)


def _not_allowed(method: str) -> Response:
    response = refusal(RequestError(405, "MethodNotAllowed", f"Use {method}."))
    response.allow = "GET, HEAD" if method == "GET" else method
    return response


def _random() -> int:
    return int.from_bytes(os.urandom(8), "big")
