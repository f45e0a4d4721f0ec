"""What a topic is told when an asynchronous request has ended.

https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference-check-predictions.html#async-inference-check-predictions-sns-topic
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from modelwright.local.sagemaker.hosting.async_requests import Request
    from modelwright.local.sagemaker.hosting.connections import Reply

LARGEST_ANSWER_BYTES = 128 * 1024
"""https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_AsyncInferenceNotificationConfig.html"""
_PARAMETERS = {"Accept": "accept", "ContentType": "contentType", "CustomAttributes": "customAttributes"}


@dataclass(frozen=True)
class End:
    """How a request ended: the model's answer, and why there is none that counts."""

    reply: Reply | None
    failure: str | None

    @property
    def body(self) -> bytes:
        """What is put into S3: the model's own words wherever there are any."""
        return self.reply.body if self.reply is not None else (self.failure or "").encode()


def notice(request: Request, end: End, region: str, now: float) -> str:
    """Return the message: of a success where the answer lies, of a failure why; with the answer if that is wished."""
    failure, reply = end.failure, end.reply
    asked = {name: request.params[member] for member, name in _PARAMETERS.items() if member in request.params}
    message: dict[str, Any] = {
        "awsRegion": region,
        "eventTime": _time(now),
        "receivedTime": _time(request.received_at),
        "invocationStatus": "Completed" if failure is None else "Failed",
        **({} if failure is None else {"failureReason": failure}),
        "requestParameters": {**asked, "endpointName": request.endpoint, "inputLocation": request.input},
    }
    if failure is None and reply is not None:
        kind = reply.headers.get("content-type", "")
        message["responseParameters"] = {"contentType": kind, "outputLocation": request.output}
    wanted = request.settings.includes_answer(success=failure is None)
    if wanted and reply is not None and len(reply.body) <= LARGEST_ANSWER_BYTES:
        message["responseBody"] = _body(reply.body)
    rest = {"eventVersion": "1.0", "eventSource": "aws:sagemaker", "eventName": "InferenceResult"}
    return json.dumps({**message, "inferenceId": request.inference_id, **rest})


def _body(body: bytes) -> dict[str, str]:
    try:
        return {"content": body.decode(), "encoding": "UTF-8"}
    except UnicodeDecodeError:
        return {"content": base64.b64encode(body).decode("ascii"), "encoding": "BASE64"}


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
