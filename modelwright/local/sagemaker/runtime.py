"""The service `sagemaker-runtime`: InvokeEndpoint.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from modelwright.local.sagemaker.hosting.capture import Capture
from modelwright.local.sagemaker.hosting.invocation import (
    LARGEST_BODY_BYTES,
    Asked,
    Outcome,
    ask,
    check,
    largest_body,
)
from modelwright.local.sagemaker.hosting.metrics import Answered, EndpointMetrics
from modelwright.local.sagemaker.hosting.server import ServerFailed
from modelwright.local.sagemaker.hosting.shadow import Shadows
from modelwright.local.sagemaker.validation import validate
from modelwright.local.service import AwsError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from modelwright.local.cloud import Cloud
    from modelwright.local.sagemaker.endpoints.service import Endpoints
    from modelwright.local.sagemaker.hosting.connections import Reply
    from modelwright.local.sagemaker.hosting.fleet import Member
    from modelwright.local.service import Call

LONGEST_MESSAGE = 1024
NOT_YET = {
    "TargetContainerHostname": "a model has one container; leave it out",
    "EnableExplanations": "leave it out",
    "InferenceComponentName": "name a variant with TargetVariant",
    "SessionId": "each request stands for itself",
    "PrefixAwareId": "leave it out",
}


class SageMakerRuntime:
    """Takes predictions from the servers of `services["sagemaker"].endpoints`."""

    name = "sagemaker-runtime"
    operations = frozenset({"InvokeEndpoint", "InvokeEndpointAsync", "InvokeEndpointWithResponseStream"})
    falls_through = False

    def __init__(self, cloud: Cloud) -> None:
        """Nothing runs before `start`."""
        self._cloud = cloud
        self.metrics = EndpointMetrics(cloud)
        self.capture = Capture(cloud)
        self._shadows = Shadows(self.metrics, self.capture)

    def start(self) -> None:
        """Begin to record metrics, and to write what is captured."""
        self.metrics.start()
        self.capture.start()

    def stop(self) -> None:
        """Record and write what is left."""
        self._shadows.stop()
        self.capture.stop()
        self.metrics.stop()

    def handle(self, call: Call) -> dict[str, Any]:
        """Answer one call."""
        if call.operation == "InvokeEndpointAsync":
            services: Mapping[str, Any] = self._cloud.services
            validate(self.name, call.operation, call.params, "ValidationError")
            answer: dict[str, Any] = services["sagemaker"].endpoints.queue.invoke(call.params)
            return answer
        if call.operation != "InvokeEndpoint":
            message = f"The local cloud does not support {call.operation} yet; use InvokeEndpoint."
            raise AwsError("ValidationError", message)
        return self._invoke(call.params)

    def flush(self) -> None:
        """Return when what the requests that were answered leave behind is there: copies, captured lines, metrics."""
        self._shadows.flush()
        self.capture.flush()
        self.metrics.flush()

    def _invoke(self, params: dict[str, Any]) -> dict[str, Any]:
        started = time.perf_counter()
        asked = _asked(params, self._cloud.clock.now())
        name, variant = asked.endpoint, params.get("TargetVariant")
        services: Mapping[str, Any] = self._cloud.services
        endpoints: Endpoints = services["sagemaker"].endpoints
        try:
            with endpoints.traffic(name).borrow(variant, asked.target) as (fleet, member):
                check(member, asked)
                outcome = ask(member, asked)
                self._shadows.copy(fleet, asked)
        except KeyError:
            raise AwsError("ValidationError", f"Variant {variant} of endpoint {name} not found.") from None
        except ServerFailed as error:
            self.metrics.unanswered(name, variant or endpoints.first_variant(name))
            raise AwsError("ServiceUnavailable", f"Endpoint {name}: {error}.", 503) from None
        overhead = time.perf_counter() - started - outcome.seconds
        self.metrics.answered(Answered(name, member, outcome.status, outcome.seconds, overhead))
        return self._answer(member, asked, outcome)

    def _answer(self, member: Member, asked: Asked, outcome: Outcome) -> dict[str, Any]:
        reply, largest = outcome.reply, largest_body(member)
        if reply is None or not outcome.good:
            raise self._model_error(asked.endpoint, reply, outcome.failure)
        if len(reply.body) > largest:
            message = f"the response has {len(reply.body)} bytes; at most {largest} are allowed"
            raise self._model_error(asked.endpoint, None, message)
        self.capture.offer(member, asked, outcome)
        return _output(reply, member.variant)

    def _model_error(self, name: str, reply: Reply | None, failure: str) -> AwsError:
        """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html, ModelError."""
        status = 0 if reply is None else reply.status
        text = failure if reply is None else reply.body.decode("utf-8", "replace")
        side = "client" if 400 <= status <= 499 else "server"
        region, account = self._cloud.region, self._cloud.account
        group = f"/aws/sagemaker/Endpoints/{name}"
        message = (
            f'Received {side} error ({status}) from primary with message "{text[:LONGEST_MESSAGE]}". '
            f"See https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}#logEventViewer:group={group} "
            f"in account {account} for more information."
        )
        extra = {
            "OriginalStatusCode": status,
            "OriginalMessage": text,
            "LogStreamArn": f"arn:aws:logs:{region}:{account}:log-group:{group}",
        }
        return AwsError("ModelError", message, 424, extra)


def _asked(params: dict[str, Any], at: datetime) -> Asked:
    refused = [f"{name} ({instead})" for name, instead in NOT_YET.items() if params.get(name) is not None]
    if refused:
        raise AwsError("ValidationError", f"The local cloud does not support {'; '.join(refused)}.")
    found = params.get("Body", b"")
    body: bytes = found.encode() if isinstance(found, str) else bytes(found)
    if len(body) > LARGEST_BODY_BYTES:
        message = f"The body has {len(body)} bytes; InvokeEndpoint takes at most {LARGEST_BODY_BYTES}."
        raise AwsError("ValidationError", message, 413)
    return Asked(params["EndpointName"], body, {key: params[key] for key in params if key != "Body"}, at)


def _output(reply: Reply, variant: str) -> dict[str, Any]:
    output: dict[str, Any] = {"Body": reply.body, "InvokedProductionVariant": variant}
    if "content-type" in reply.headers:
        output["ContentType"] = reply.headers["content-type"]
    if "x-amzn-sagemaker-custom-attributes" in reply.headers:
        output["CustomAttributes"] = reply.headers["x-amzn-sagemaker-custom-attributes"]
    return output
