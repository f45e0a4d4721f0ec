"""A request's way to the function behind a route, and how long it is waited for."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from modelwright.local.apigateway import answers
from modelwright.local.apigateway.replies import Reply, read_answer, refusal
from modelwright.local.calls.direct import Direct
from modelwright.local.service import AwsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelwright.local.apigateway.records import Route
    from modelwright.local.cloud import Cloud

_PRINCIPAL = "apigateway.amazonaws.com"
_MOST_AT_ONCE = 1000
"""Of functions that run: https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html (an account's limit)"""


class Integrations:
    """Invokes functions. Safe to use from many threads."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._threads = ThreadPoolExecutor(_MOST_AT_ONCE, thread_name_prefix="api-integration")

    def stop(self) -> None:
        """Begin no further call; what is under way ends with its function."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def call(
        self, route: Route, source_arn: str, event: Mapping[str, Any], responses: Mapping[str, Mapping[str, Any]]
    ) -> Reply:
        """Return what the function answers; `Refused` when it was not called, or took too long.

        A function that takes longer goes on, as only its own timeout ends it; what it answers then is lost.
        https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html (integration timeout)
        """
        self._allow(route, source_arn)
        began = time.monotonic()
        answer = self._answer(route, json.dumps(event).encode())
        reply = None if answer.get("FunctionError") else read_answer(answer["Payload"])
        if reply is None:
            reply = refusal(answers.failed(), responses)
        return replace(reply, integration_seconds=time.monotonic() - began)

    def _answer(self, route: Route, payload: bytes) -> dict[str, Any]:
        invoke = Direct(self._cloud, "lambda").invoke
        try:
            asked = self._threads.submit(invoke, FunctionName=route.function, Payload=payload)
            return asked.result(route.timeout_seconds)
        except TimeoutError:
            raise answers.timed_out() from None
        except AwsError as error:
            raise (answers.too_large() if error.status == 413 else answers.failed(500)) from None

    def _allow(self, route: Route, source_arn: str) -> None:
        """The function's own policy has to let this stage in.

        https://docs.aws.amazon.com/lambda/latest/dg/services-apigateway.html#apigateway-permissions
        """
        context = {"aws:SourceArn": source_arn}
        try:
            self._cloud.iam.authorize_service(_PRINCIPAL, "lambda:InvokeFunction", route.function, context)
        except AwsError:
            raise answers.failed(500) from None
