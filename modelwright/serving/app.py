"""The application: SageMaker's three routes, each answer with its status and a JSON body when it is an error.

https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import time
from typing import TYPE_CHECKING, Any

from modelwright.serving.lane import Lane
from modelwright.serving.messages import Response, refusal
from modelwright.serving.model import Answer, Model, Request
from modelwright.serving.problems import RequestError, last_line

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

    from modelwright.serving.messages import Head
    from modelwright.serving.parsing import Parsed
    from modelwright.serving.settings import Settings

INVOCATIONS = "/invocations"
INLINE_BYTES = 64 * 1024
"""a larger body takes milliseconds to read, for which the event loop would answer nobody"""
CLIENT_GONE = 499
"""nginx's status, in the log only: nobody was left to answer"""


class App:
    """One model behind `/ping`, `/invocations` and `/execution-parameters`."""

    def __init__(
        self, model: Model, settings: Settings, log: Callable[[Mapping[str, Any]], None], on_stuck: Callable[[], None]
    ) -> None:
        """Serve `model`; `log` gets one record a request, `on_stuck` is called when predictions hang for good."""
        self._model = model
        self._inline = model.inline
        self._seconds = settings.timeout_seconds
        self._log = log
        self._on_stuck = on_stuck
        self._lane = Lane(model)
        self._ids = (
            f"{start:016x}{number:016x}" for start in [_random()] for number in itertools.count(_random() >> 1)
        )

    def answer(self, request: Parsed) -> Response | Coroutine[None, None, Response]:
        """Answer one request: at once, unless the model needs a thread."""
        head = request.head
        if head.path != INVOCATIONS:
            return self._other(head.path, head.method)
        head.request_id = head.headers.get("x-amzn-sagemaker-inference-id") or next(self._ids)
        if head.method != "POST":
            return _not_allowed("POST")
        try:
            prepared = self._model.prepare(Request(request.body, head.headers, head.request_id))
            if self._inline and len(request.body) <= INLINE_BYTES:
                return _response(self._model.run(prepared))
            return self._predict(prepared, head)
        except RequestError as error:
            return refusal(error)
        except Exception as error:  # noqa: BLE001  # whatever a model raises is that request's
            return refusal(RequestError(500, "ModelError", last_line(error)))

    def ended(self, request: Parsed, response: Response | None) -> None:
        """Write the request's line of the log, for what was asked of the model."""
        head = request.head
        if head.path == INVOCATIONS:
            head.request_id = head.request_id or head.headers.get("x-amzn-sagemaker-inference-id") or next(self._ids)
            self._record(head, request.size, response or Response(CLIENT_GONE))

    def _other(self, path: str, method: str) -> Response:
        if path == "/ping":
            return Response(503 if self._lane.stuck else 200) if method in ("GET", "HEAD") else _not_allowed("GET")
        if path == "/execution-parameters" and self._model.execution_parameters is not None:
            body = json.dumps(self._model.execution_parameters).encode()
            return Response(200, body) if method in ("GET", "HEAD") else _not_allowed("GET")
        return refusal(
            RequestError(404, "NotFound", f"There is no {path}; this server has GET /ping and POST /invocations.")
        )

    async def _predict(self, prepared: Any, head: Head) -> Response:
        left = max(0.0, self._seconds - (time.perf_counter() - head.started))
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

    def _record(self, head: Head, size: int, response: Response) -> None:
        self._log(
            {
                "event": "request",
                "id": head.request_id,
                "status": response.status,
                "milliseconds": round((time.perf_counter() - head.started) * 1000, 3),
                "bytes_in": size,
                "bytes_out": len(response.body),
                "content_type": head.headers.get("content-type", ""),
                "accept": head.headers.get("accept", ""),
            }
        )


def _response(answer: Answer) -> Response:
    return Response(200, answer.body, answer.content_type) if answer.body else Response(204)


def _not_allowed(method: str) -> Response:
    return refusal(RequestError(405, "MethodNotAllowed", f"Use {method}."))


def _random() -> int:
    return int.from_bytes(os.urandom(8), "big")
