"""The service `sagemaker-runtime`: InvokeEndpoint.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html
"""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING, Any

from modelwright.local.sagemaker.endpoint_metrics import Answered, EndpointMetrics
from modelwright.local.sagemaker.endpoint_server import ServerFailed
from modelwright.local.service import AwsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelwright.local.cloud import Cloud
    from modelwright.local.sagemaker.endpoint_fleet import Member
    from modelwright.local.sagemaker.endpoint_pool import Reply
    from modelwright.local.sagemaker.endpoints import Endpoints
    from modelwright.local.service import Call

LARGEST_BODY_BYTES = 6_291_456
"""BodyBlob, in and out"""
CONTAINER_SECONDS = 60
"""https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html"""
SLACK_SECONDS = 2
"""the server ends a request that takes too long by itself, and says which function it was in"""
LONGEST_MESSAGE = 1024
NOT_YET = {
    "TargetModel": "the endpoint serves one model; leave it out",
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
        self._metrics = EndpointMetrics(cloud)

    def start(self) -> None:
        """Begin to record metrics."""
        self._metrics.start()

    def stop(self) -> None:
        """Record what is left."""
        self._metrics.stop()

    def handle(self, call: Call) -> dict[str, Any]:
        """Answer one call."""
        if call.operation != "InvokeEndpoint":
            message = f"The local cloud does not support {call.operation} yet; use InvokeEndpoint."
            raise AwsError("ValidationError", message)
        return self._invoke(call.params)

    def flush(self) -> None:
        """Return when the metrics of all requests that were answered are recorded."""
        self._metrics.flush()

    def _invoke(self, params: dict[str, Any]) -> dict[str, Any]:
        started = time.perf_counter()
        body = _checked_body(params)
        name, variant = params["EndpointName"], params.get("TargetVariant")
        services: Mapping[str, Any] = self._cloud.services
        endpoints: Endpoints = services["sagemaker"].endpoints
        try:
            with endpoints.traffic(name).lend(variant) as member:
                reply, model_seconds, failure = _ask(member, _headers(params), body)
        except KeyError:
            raise AwsError("ValidationError", f"Variant {variant} of endpoint {name} not found.") from None
        except ServerFailed as error:
            self._metrics.unanswered(name, variant or endpoints.first_variant(name))
            raise AwsError("ServiceUnavailable", f"Endpoint {name}: {error}.", 503) from None
        overhead = time.perf_counter() - started - model_seconds
        status = 0 if reply is None else reply.status
        self._metrics.answered(Answered(name, member, status, model_seconds, overhead))
        if reply is None or not 200 <= reply.status <= 299:
            raise self._model_error(name, reply, failure)
        if len(reply.body) > LARGEST_BODY_BYTES:
            message = f"the response has {len(reply.body)} bytes; at most {LARGEST_BODY_BYTES} are allowed"
            raise self._model_error(name, None, message)
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


def _checked_body(params: dict[str, Any]) -> bytes:
    refused = [f"{name} ({instead})" for name, instead in NOT_YET.items() if params.get(name) is not None]
    if refused:
        raise AwsError("ValidationError", f"The local cloud does not support {'; '.join(refused)}.")
    found = params.get("Body", b"")
    body: bytes = found.encode() if isinstance(found, str) else bytes(found)
    if len(body) > LARGEST_BODY_BYTES:
        message = f"The body has {len(body)} bytes; InvokeEndpoint takes at most {LARGEST_BODY_BYTES}."
        raise AwsError("ValidationError", message, 413)
    return body


def _headers(params: dict[str, Any]) -> dict[str, str]:
    """Return what SageMaker hands on to the container; everything else of the caller's request it strips."""
    headers = {
        "Content-Type": params.get("ContentType"),
        "Accept": params.get("Accept"),
        "X-Amzn-SageMaker-Custom-Attributes": params.get("CustomAttributes"),
        "X-Amzn-SageMaker-Inference-Id": params.get("InferenceId") or str(uuid.uuid4()),
    }
    return {name: value for name, value in headers.items() if value}


def _ask(member: Member, headers: dict[str, str], body: bytes) -> tuple[Reply | None, float, str]:
    """Return the answer, the seconds that it took, and why there is none."""
    started = time.perf_counter()
    try:
        reply = member.server.exchange("POST", "/invocations", headers, body, CONTAINER_SECONDS + SLACK_SECONDS)
    except ServerFailed as error:
        return None, time.perf_counter() - started, str(error)
    return reply, time.perf_counter() - started, ""


def _output(reply: Reply, variant: str) -> dict[str, Any]:
    output: dict[str, Any] = {"Body": reply.body, "InvokedProductionVariant": variant}
    if "content-type" in reply.headers:
        output["ContentType"] = reply.headers["content-type"]
    if "x-amzn-sagemaker-custom-attributes" in reply.headers:
        output["CustomAttributes"] = reply.headers["x-amzn-sagemaker-custom-attributes"]
    return output
