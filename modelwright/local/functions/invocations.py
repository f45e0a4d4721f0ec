"""One invocation from request to answer: a process, a deadline, the log's START, END and REPORT, the metrics.

https://docs.aws.amazon.com/lambda/latest/dg/python-logging.html
https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
"""

from __future__ import annotations

import json
import math
import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modelwright.local.functions.sandbox import Outcome, Sandbox
from modelwright.local.service import AwsError

if TYPE_CHECKING:
    from modelwright.local.cloud import Cloud
    from modelwright.local.functions.pool import Pool
    from modelwright.local.functions.record import Function

MOST_BYTES = 6 * 1024 * 1024
"""of a request and of an answer: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""
_NAMESPACE = "AWS/Lambda"


@dataclass(frozen=True)
class Answer:
    """What Invoke answers: JSON text, and whether it is an error of the function."""

    payload: str
    failed: bool
    request_id: str
    log: list[str]


class Lines:
    """What one process prints, and whether its role may write logs: without that there is no log, as on AWS."""

    def __init__(self, cloud: Cloud, function: Function) -> None:
        self._cloud = cloud
        self._group = function.log_group
        now = cloud.clock.now()
        self.stream = f"{now:%Y/%m/%d}/[$LATEST]{uuid.uuid4().hex}"
        self._found: list[tuple[float, str]] = []
        self._role = function.role
        self._made = self._may("CreateLogStream")

    def add(self, text: str) -> None:
        """Take a line."""
        self._found.append((self._cloud.clock.time(), text))

    def write(self) -> list[str]:
        """Write what was collected to the log group; returns it."""
        found, self._found = self._found, []
        if self._made and self._may("PutLogEvents"):
            self._cloud.log(self._group, self.stream, found)
        return [text for _, text in found]

    def _may(self, operation: str) -> bool:
        stream = {"logGroupName": self._group, "logStreamName": self.stream}
        try:
            self._cloud.iam.check_as(self._role, "logs", operation, stream, session_name="lambda")
        except AwsError:
            return False
        return True


class WarmSandbox(Sandbox):
    """A process together with its log."""

    def __init__(self, cloud: Cloud, function: Function) -> None:
        self.lines = Lines(cloud, function)
        super().__init__(cloud, function, self.lines.stream, self.lines.add)


def invoke(  # noqa: PLR0913 - what an invocation is made of
    cloud: Cloud, pool: Pool, payload: bytes, *, request_id: str, wait: bool, context: Any = None
) -> Answer:
    """Run the function once. AwsError when it was not run: throttled, too large, not JSON."""
    function = pool.function
    event = check(payload)
    try:
        with pool.taken(wait=wait) as sandbox:
            assert isinstance(sandbox, WarmSandbox)  # noqa: S101 - what this module's pools start
            return _run(cloud, pool, sandbox, event, request_id=request_id, context=context)
    except AwsError as error:
        if error.code == "TooManyRequestsException":
            _count(cloud, function, "Throttles", 1)
        raise


def _run(  # noqa: PLR0913 - what an invocation is made of
    cloud: Cloud, pool: Pool, sandbox: WarmSandbox, event: str, *, request_id: str, context: Any
) -> Answer:
    function = sandbox.function
    sandbox.lines.add(f"START RequestId: {request_id} Version: $LATEST")
    began = time.monotonic()
    request = {"request_id": request_id, "arn": function.arn, "event": event, "client_context": context}
    outcome = _limited(sandbox.invoke(request, function.timeout_seconds), function, request_id)
    seconds = time.monotonic() - began
    sandbox.usable = outcome.alive
    _report(sandbox, request_id, seconds, outcome)
    _measure(cloud, function, seconds, failed=outcome.error is not None and not pool.killed)
    log = sandbox.lines.write()
    if outcome.error is not None:
        return Answer(json.dumps(outcome.error), failed=True, request_id=request_id, log=log)
    return Answer(outcome.result or "null", failed=False, request_id=request_id, log=log)


def check(payload: bytes) -> str:
    """Return a payload as JSON text; AwsError when it is too large or not JSON."""
    if len(payload) > MOST_BYTES:
        raise AwsError(
            "RequestTooLargeException",
            f"Request must be smaller than {MOST_BYTES} bytes for the InvokeFunction operation",
            413,
            {"Type": "User"},
        )
    text = payload.decode("utf-8", "replace") or "{}"
    try:
        json.loads(text)
    except ValueError as error:
        message = f"Could not parse request body into json: {error}"
        raise AwsError("InvalidRequestContentException", message, 400, {"Type": "User"}) from error
    return text


def _limited(outcome: Outcome, function: Function, request_id: str) -> Outcome:
    """An answer that is too large is an error; a process that had more memory than it may have is killed."""
    if outcome.alive and outcome.peak_bytes > function.memory_mib << 20:
        message = f"RequestId: {request_id} Error: Runtime exited with error: signal: killed"
        return Outcome(
            None, {"errorType": "Runtime.ExitError", "errorMessage": message}, outcome.peak_bytes, alive=False
        )
    if outcome.result is not None and len(outcome.result.encode()) > MOST_BYTES:
        message = f"Response payload size exceeded maximum allowed payload size ({MOST_BYTES} bytes)."
        error = {"errorType": "Function.ResponseSizeTooLarge", "errorMessage": message}
        return Outcome(None, error, outcome.peak_bytes, outcome.alive)
    return outcome


def _report(sandbox: WarmSandbox, request_id: str, seconds: float, outcome: Outcome) -> None:
    function = sandbox.function
    init, sandbox.init_seconds = sandbox.init_seconds, None
    billed = seconds * 1000
    parts = [
        f"REPORT RequestId: {request_id}",
        f"Duration: {seconds * 1000:.2f} ms",
        f"Billed Duration: {math.ceil(billed)} ms",
        f"Memory Size: {function.memory_mib} MB",
        f"Max Memory Used: {outcome.peak_bytes >> 20} MB",
    ]
    if init is not None:
        parts.append(f"Init Duration: {init * 1000:.2f} ms")
    sandbox.lines.add(f"END RequestId: {request_id}")
    sandbox.lines.add("\t".join(parts))


def _measure(cloud: Cloud, function: Function, seconds: float, *, failed: bool) -> None:
    _count(cloud, function, "Invocations", 1)
    _count(cloud, function, "Errors", int(failed))
    dimensions = {"FunctionName": function.name}
    cloud.put_metric(_NAMESPACE, "Duration", seconds * 1000, "Milliseconds", dimensions)


def _count(cloud: Cloud, function: Function, name: str, value: float) -> None:
    cloud.put_metric(_NAMESPACE, name, value, "Count", {"FunctionName": function.name})
