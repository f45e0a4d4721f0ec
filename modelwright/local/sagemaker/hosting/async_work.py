"""One asynchronous request: its input fetched, the model asked, the answer put, the topic told, as the model's role.

https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference.html
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from modelwright.local.sagemaker.hosting.async_notice import End, notice
from modelwright.local.sagemaker.hosting.invocation import SLACK_SECONDS, Asked
from modelwright.local.sagemaker.hosting.metrics import of_variant
from modelwright.local.sagemaker.hosting.server import ServerFailed
from modelwright.local.sagemaker.jobs.outputs import Outputs
from modelwright.local.sagemaker.jobs.problems import ClientProblem
from modelwright.local.sagemaker.jobs.requests import split_s3
from modelwright.local.service import AwsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelwright.local.cloud import Cloud
    from modelwright.local.sagemaker.hosting.async_requests import Request
    from modelwright.local.sagemaker.hosting.fleet import Member, Traffic
    from modelwright.local.sagemaker.runtime import SageMakerRuntime

LARGEST_INPUT_BYTES = 1 << 30
"""https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference.html: "large payload sizes (up to 1GB)" """
LOGS = "See the SageMaker Endpoint logs in your account for more information."
_log = logging.getLogger(__name__)
_Values = list[tuple[str, float, str]]


class Unserved(Exception):  # noqa: N818  # what became of it
    """No server answered; another one may."""


class Worker:
    """Does requests, each in the thread that asks for it."""

    def __init__(self, cloud: Cloud) -> None:
        """Work in this cloud."""
        self._cloud = cloud

    def do(self, request: Request, traffic: Traffic) -> None:
        """Do a request to its end; Unserved when nothing was done that counts."""
        began = self._cloud.clock.time()
        try:
            with traffic.borrow(None) as (_, member):
                values: _Values = [("TimeInBacklog", (began - request.received_at) * 1e6, "Microseconds")]
                end = self._asked(request, member, values)
                self._finish(request, member, end, values)
        except ServerFailed as error:
            raise Unserved(str(error)) from None

    def give_up(self, request: Request, variant: Mapping[str, Any], reason: str, metric: str) -> None:
        """End a request that no model was asked for."""
        end, values = End(None, reason), [(metric, 1.0, "Count")] if metric else []
        self._end(request, variant, end, values)

    def _asked(self, request: Request, member: Member, values: _Values) -> End:
        try:
            body = self._fetch(request, member.plan["RoleArn"], values)
        except ClientProblem as problem:
            values.append(("RequestDownloadFailures", 1.0, "Count"))
            return End(None, f"ClientError: {problem}")
        asked = Asked(request.endpoint, body, request.params, self._cloud.clock.now())
        began = time.perf_counter()
        with member.server.serving(None) as server:
            seconds = request.timeout_seconds + SLACK_SECONDS
            try:
                reply = server.exchange("POST", "/invocations", asked.headers(), body, seconds)
            except ServerFailed as error:
                if time.perf_counter() - began < request.timeout_seconds:
                    raise  # it was ended while it worked: another one begins anew
                return End(None, f"ClientError: The model did not answer within {request.timeout_seconds} s ({error}).")
        spent = time.perf_counter() - began
        values += [
            ("ModelLatency", spent * 1e6, "Microseconds"),
            ("Invocation4XXErrors", float(400 <= reply.status <= 499), "None"),
            ("Invocation5XXErrors", float(reply.status >= 500), "None"),
        ]
        if 200 <= reply.status <= 299:
            return End(reply, None)
        side = "client" if reply.status < 500 else "server"
        return End(reply, f"ClientError: Received {side} error ({reply.status}) from model. {LOGS}")

    def _fetch(self, request: Request, role: str, values: _Values) -> bytes:
        began = time.perf_counter()
        bucket, key = split_s3(request.input)
        try:
            self._cloud.iam.check_as(role, "s3", "GetObject", {"Bucket": bucket, "Key": key})
            found = self._cloud.s3.head(bucket, key)
        except AwsError as error:
            raise ClientProblem(f"Unable to download {request.input}: {error.message}") from None
        if found.size > LARGEST_INPUT_BYTES:
            raise ClientProblem(f"{request.input} has {found.size} bytes; at most {LARGEST_INPUT_BYTES} are allowed")
        body = found.path.read_bytes()
        values.append(("RequestDownloadLatency", (time.perf_counter() - began) * 1e6, "Microseconds"))
        return body

    def _finish(self, request: Request, member: Member, end: End, values: _Values) -> None:
        configuration = {"EndpointConfigName": member.config}
        latency = [
            value for value in values if value[0] in {"ModelLatency", "Invocation4XXErrors", "Invocation5XXErrors"}
        ]
        if latency and member.config:
            self._tell({**of_variant(request.endpoint, member.variant), **configuration}, latency)
        self._end(request, member.plan, end, values)

    def _end(self, request: Request, variant: Mapping[str, Any], end: End, values: _Values) -> None:
        role = variant["RoleArn"]
        failure = self._put(request, role, end, values)
        if failure is not None:
            values.append(("InvocationFailures", 1.0, "Count"))
        values.append(("InvocationsProcessed", 1.0, "Count"))
        self._notify(request, role, End(end.reply, failure), values)
        total = self._cloud.clock.time() - request.received_at
        values.append(("TotalProcessingTime", total * 1e3, "Milliseconds"))
        self._tell(of_variant(request.endpoint, variant["VariantName"]), values)

    def _put(self, request: Request, role: str, end: End, values: _Values) -> str | None:
        """Put the answer, or the failure where there is a place for it; why the request failed, if it did."""
        target = request.output if end.failure is None else request.failure
        if target is None:
            return end.failure
        began = time.perf_counter()
        path = self._cloud.directory / "async" / request.key
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(end.body)
        try:
            Outputs(self._cloud, role, request.settings.key).file(path, target)
        except ClientProblem as problem:
            values.append(("ResponseUploadFailures", 1.0, "Count"))
            return end.failure or f"ClientError: {problem}"
        finally:
            path.unlink(missing_ok=True)
        values.append(("ResponseUploadLatency", (time.perf_counter() - began) * 1e6, "Microseconds"))
        return end.failure

    def _notify(self, request: Request, role: str, end: End, values: _Values) -> None:
        topic = request.settings.topic(success=end.failure is None)
        if topic is None:
            return
        message = notice(request, end, self._cloud.region, self._cloud.clock.time())
        try:
            self._cloud.client("sns", role).publish(TopicArn=topic, Message=message)
        except ClientError as error:
            values.append(("NotificationFailures", 1.0, "Count"))
            _log.warning("a topic was not told of an inference topic=%s: %s", topic, error)

    def _tell(self, dimensions: Mapping[str, str], values: _Values) -> None:
        services: Mapping[str, Any] = self._cloud.services
        runtime: SageMakerRuntime = services["sagemaker-runtime"]
        runtime.metrics.tell(dimensions, values)
