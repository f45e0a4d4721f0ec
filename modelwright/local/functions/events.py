"""Asynchronous invocations: taken into the database, run, tried again, and at last sent to the dead-letter target.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-async.html
"""

from __future__ import annotations

import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from modelwright.local.service import AwsError

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelwright.local.cloud import Cloud
    from modelwright.local.functions.invocations import Answer
    from modelwright.local.functions.record import Function

log = logging.getLogger(__name__)

_KIND = "lambda.event"
_ENDS = "the local cloud ends"
DELAYS_SECONDS = (1.0, 2.0)
"""before the first and the second further attempt; AWS waits one and two minutes"""


class EventQueue:
    """Events that functions were invoked with as `Event`, delivered at least once."""

    def __init__(self, cloud: Cloud, run: Callable[[str, bytes, str], Answer]) -> None:
        """`run` invokes a function by name with a payload and a request id."""
        self._cloud = cloud
        self._run = run
        self._ended = threading.Event()
        self._threads = ThreadPoolExecutor(8, thread_name_prefix="lambda-event")

    def take(self, function: Function, payload: bytes, request_id: str) -> None:
        """Keep an event, and deliver it in the background."""
        body = {"function": function.name, "payload": payload, "request_id": request_id}
        self._cloud.database.put(_KIND, f"{function.name}/{request_id}", body)
        self._threads.submit(self._deliver, function, body)

    def resume(self, function: Function) -> None:
        """Deliver what a killed daemon had taken for this function and not finished."""
        for _, body in self._cloud.database.all(_KIND, f"{function.name}/"):
            self._threads.submit(self._deliver, function, body)

    def cease(self) -> None:
        """Begin no further attempt, and take none that fails from now on for the function's fault."""
        self._ended.set()

    def stop(self) -> None:
        """Deliver no more; what is left is kept for the next start."""
        self.cease()
        self._threads.shutdown(wait=True, cancel_futures=True)

    def _deliver(self, function: Function, body: dict[str, Any]) -> None:
        try:
            error = self._attempts(function, body)
            if self._ended.is_set() and error is not None:
                return
            if error is not None:
                self._dead_letter(function, body, error)
            self._cloud.database.delete(_KIND, f"{function.name}/{body['request_id']}")
        except Exception:
            log.exception("an event for the function %s could not be delivered", function.name)

    def _attempts(self, function: Function, body: dict[str, Any]) -> str | None:
        """Return None after a success, else the last error's text."""
        error: str | None = None
        for attempt in range(function.retries + 1):
            if self._ended.wait(DELAYS_SECONDS[min(attempt, len(DELAYS_SECONDS)) - 1] if attempt else 0):
                return error or _ENDS
            try:
                answer = self._run(function.name, body["payload"], body["request_id"])
            except AwsError as refused:
                error = str(refused)
                continue
            if not answer.failed:
                return None
            error = answer.payload
        return error

    def _dead_letter(self, function: Function, body: dict[str, Any], error: str) -> None:
        if function.dead_letters is None:
            return
        values = {"RequestID": body["request_id"], "ErrorCode": "200", "ErrorMessage": error[:1024]}
        attributes = {name: {"DataType": "String", "StringValue": value} for name, value in values.items()}
        text = body["payload"].decode("utf-8", "replace") or "{}"
        if function.dead_letters.split(":")[2] == "sns":
            client: Any = self._cloud.client("sns", function.role)
            client.publish(TopicArn=function.dead_letters, Message=text, MessageAttributes=attributes)
            return
        client = self._cloud.client("sqs", function.role)
        url = self._cloud.client("sqs").get_queue_url(QueueName=function.dead_letters.rsplit(":", 1)[-1])["QueueUrl"]
        client.send_message(QueueUrl=url, MessageBody=text, MessageAttributes=attributes)
