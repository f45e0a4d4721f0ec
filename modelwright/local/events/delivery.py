"""Hand an event to a target: as the rule's role or as EventBridge itself, again when the target is busy.

What cannot be delivered goes to the dead letters.
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html
"""

from __future__ import annotations

import json
import logging
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from modelwright.local.calls.direct import Direct
from modelwright.local.service import AwsError

from .transformers import TransformError, target_input

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from threading import Event

    from modelwright.local.cloud import Cloud

_PRINCIPAL = "events.amazonaws.com"
_LONGEST_WAIT_SECONDS = 60.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Delivery:
    """One event on its way to one target of a rule (`name` and `arn`)."""

    cloud: Cloud
    rule: Mapping[str, str]
    target: Mapping[str, Any]
    event: Mapping[str, Any]

    def run(self, ended: Event) -> None:
        """Deliver, retrying what may pass until `ended`; never raises."""
        try:
            text = target_input(self.target, self.event, self.rule)
        except TransformError as mistake:
            self._dead_letter("INVALID_INPUT_TRANSFORMER", str(mistake), 0)
            return
        policy = self.target.get("RetryPolicy", {})
        attempts, oldest = policy.get("MaximumRetryAttempts", 185), policy.get("MaximumEventAgeInSeconds", 86_400)
        began, attempt = self.cloud.clock.time(), 0
        while (problem := self._try(text)) is not None:
            attempt += 1
            exhausted = attempt > attempts or self.cloud.clock.time() - began >= oldest
            if not _may_pass(problem) or exhausted or ended.wait(min(2.0**attempt / 4, _LONGEST_WAIT_SECONDS)):
                self._dead_letter(_code(problem), str(problem), attempt - 1)
                return

    def _try(self, text: str) -> Exception | None:
        kind = self.target["Arn"].split(":")[2]
        if kind not in _TARGETS:
            known = ", ".join(sorted(_TARGETS))
            return ValueError(f"a target of kind {kind} is not supported by the local cloud; {known} are")
        try:
            _TARGETS[kind](self, text)
        except Exception as problem:  # noqa: BLE001 - whatever it is, it decides between another try and the dead letters
            return problem
        return None

    def start_execution(self, text: str) -> None:
        """Start the state machine as the rule's role."""
        role = self.target.get("RoleArn")
        if role is None:
            raise ValueError(f"rule {self.rule['name']}: a state machine as target needs a RoleArn")
        allowed = self.cloud.iam.may_assume(role, _PRINCIPAL, {"aws:SourceArn": self.rule["arn"]})
        if not allowed:
            raise AwsError("AccessDenied", f"EventBridge may not assume {role}: {allowed.reason}", 403)
        client = self.cloud.client("stepfunctions", role, via=_PRINCIPAL)
        # <uuid>_<uuid>: the name that EventBridge gives, 73 characters
        name = f"{self.event['id']}_{uuid.uuid4()}"
        client.start_execution(stateMachineArn=self.target["Arn"], name=name, input=text)

    def invoke(self, text: str) -> None:
        """Invoke the function; its policy has to allow EventBridge."""
        self._allow("lambda:InvokeFunction", self.target["Arn"])
        request = {"FunctionName": self.target["Arn"], "InvocationType": "Event", "Payload": text.encode()}
        Direct(self.cloud, "lambda").invoke(**request)

    def publish(self, text: str) -> None:
        """Publish to the topic; its policy has to allow EventBridge."""
        self._allow("sns:Publish", self.target["Arn"])
        Direct(self.cloud, "sns").publish(TopicArn=self.target["Arn"], Message=text)

    def send(self, text: str) -> None:
        """Send to the queue; its policy has to allow EventBridge."""
        self._send(self.target["Arn"], text, {})

    def write(self, text: str) -> None:
        """Write to the log group; a policy of CloudWatch Logs has to allow EventBridge.

        https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html
        """
        group, stream = self.target["Arn"].removesuffix(":*"), self.event["id"]
        for action in ("logs:CreateLogStream", "logs:PutLogEvents"):
            self._allow(action, f"{group}:log-stream:{stream}")
        self.cloud.log(group.partition(":log-group:")[2], stream, [(self.cloud.clock.time(), text)])

    def _send(self, queue: str, text: str, attributes: Mapping[str, Any]) -> None:
        self._allow("sqs:SendMessage", queue)
        client = Direct(self.cloud, "sqs")
        url = client.get_queue_url(QueueName=queue.rsplit(":", 1)[-1])["QueueUrl"]
        client.send_message(QueueUrl=url, MessageBody=text, MessageAttributes=dict(attributes))

    def _allow(self, action: str, resource: str) -> None:
        self.cloud.iam.authorize_service(_PRINCIPAL, action, resource, {"aws:SourceArn": self.rule["arn"]})

    def _dead_letter(self, code: str, message: str, retries: int) -> None:
        _log.warning("event not delivered rule=%s target=%s code=%s", self.rule["name"], self.target["Arn"], code)
        self._count("FailedInvocations")
        queue = self.target.get("DeadLetterConfig", {}).get("Arn")
        if not queue:
            return
        attributes = {
            "RULE_ARN": self.rule["arn"],
            "TARGET_ARN": self.target["Arn"],
            "ERROR_CODE": code,
            "ERROR_MESSAGE": message[:1024] or code,
            "EXHAUSTED_RETRY_CONDITION": "MaximumRetryAttempts" if retries else "None",
            "RETRY_ATTEMPTS": str(retries),
        }
        typed = {key: {"DataType": "String", "StringValue": value} for key, value in attributes.items()}
        try:
            self._send(queue, json.dumps(self.event), typed)
        except Exception:  # noqa: BLE001 - as on AWS, where only a metric tells
            _log.exception("dead letter lost rule=%s queue=%s", self.rule["name"], queue)
            self._count("InvocationsFailedToBeSentToDlq")

    def _count(self, metric: str) -> None:
        """A rule of a bus that is not the default one is named with it.

        https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring.html
        """
        bus, _, name = self.rule["arn"].partition(":rule/")[2].rpartition("/")
        dimensions = {"RuleName": name, **({"EventBusName": bus} if bus else {})}
        self.cloud.put_metric("AWS/Events", metric, 1, "Count", dimensions)


_TARGETS: dict[str, Callable[[Delivery, str], None]] = {
    "logs": Delivery.write,
    "states": Delivery.start_execution,
    "lambda": Delivery.invoke,
    "sns": Delivery.publish,
    "sqs": Delivery.send,
}


def _code(problem: Exception) -> str:
    if isinstance(problem, ClientError):
        return str(problem.response["Error"]["Code"])
    return str(getattr(problem, "code", type(problem).__name__))


def _may_pass(problem: Exception) -> bool:
    """Throttling and a service's own faults may pass; a refusal will not."""
    if isinstance(problem, ClientError):
        status = problem.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400)
    elif isinstance(problem, AwsError):
        status = problem.status
    else:
        return False
    return status >= 500 or status == 429 or "Throttl" in _code(problem)
