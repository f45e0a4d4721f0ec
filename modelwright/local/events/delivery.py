"""Hand an event to a target: as the rule's role or as EventBridge itself, again when the target is busy, to the dead
letters when it cannot be delivered.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html
"""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from modelwright.local.direct import Direct
from modelwright.local.service import AwsError

from .transformers import TransformError, target_input

if TYPE_CHECKING:
    from threading import Event

    from modelwright.local.cloud import Cloud

_PRINCIPAL = "events.amazonaws.com"
_LONGEST_WAIT_SECONDS = 60.0
_log = logging.getLogger(__name__)


def deliver(
    cloud: Cloud, rule: Mapping[str, str], target: Mapping[str, Any], event: Mapping[str, Any], ended: Event
) -> None:
    """Deliver, retrying what may pass; never raises: what cannot be delivered becomes a dead letter or a line in the log."""
    try:
        text = target_input(target, event, rule)
    except TransformError as error:
        _dead_letter(cloud, rule, target, event, "INVALID_INPUT_TRANSFORMER", str(error), 0)
        return
    policy = target.get("RetryPolicy", {})
    attempts, oldest = policy.get("MaximumRetryAttempts", 185), policy.get("MaximumEventAgeInSeconds", 86_400)
    began, attempt = cloud.clock.time(), 0
    while True:
        error = _try(cloud, rule, target, event, text)
        if error is None:
            return
        attempt += 1
        exhausted = attempt > attempts or cloud.clock.time() - began >= oldest
        if not _may_pass(error) or exhausted or ended.wait(min(2.0**attempt / 4, _LONGEST_WAIT_SECONDS)):
            _dead_letter(cloud, rule, target, event, _code(error), str(error), attempt - 1)
            return


def _try(
    cloud: Cloud, rule: Mapping[str, str], target: Mapping[str, Any], event: Mapping[str, Any], text: str
) -> Exception | None:
    kind = target["Arn"].split(":")[2]
    send = _TARGETS.get(kind)
    if send is None:
        return ValueError(
            f"a target of kind {kind} is not supported by the local cloud; {', '.join(sorted(_TARGETS))} are"
        )
    try:
        send(cloud, rule, target, event, text)
    except Exception as error:  # noqa: BLE001 - whatever it is, it decides between another try and the dead letters
        return error
    return None


def _start_execution(
    cloud: Cloud, rule: Mapping[str, str], target: Mapping[str, Any], event: Mapping[str, Any], text: str
) -> None:  # noqa: ARG001
    if "RoleArn" not in target:
        raise ValueError(f"rule {rule['name']}: a state machine as target needs a RoleArn")
    allowed = cloud.iam.may_assume(target["RoleArn"], _PRINCIPAL, {"aws:SourceArn": rule["arn"]})
    if not allowed:
        raise AwsError("AccessDenied", f"EventBridge may not assume {target['RoleArn']}: {allowed.reason}", 403)
    client = cloud.client("stepfunctions", target["RoleArn"], via=_PRINCIPAL)
    # <uuid>_<uuid>: the name that EventBridge gives, 73 characters
    client.start_execution(stateMachineArn=target["Arn"], name=f"{event['id']}_{uuid.uuid4()}", input=text)


def _invoke(
    cloud: Cloud, rule: Mapping[str, str], target: Mapping[str, Any], event: Mapping[str, Any], text: str
) -> None:  # noqa: ARG001
    _allow(cloud, rule, "lambda:InvokeFunction", target["Arn"])
    Direct(cloud, "lambda").invoke(FunctionName=target["Arn"], InvocationType="Event", Payload=text.encode())


def _publish(
    cloud: Cloud, rule: Mapping[str, str], target: Mapping[str, Any], event: Mapping[str, Any], text: str
) -> None:  # noqa: ARG001
    _allow(cloud, rule, "sns:Publish", target["Arn"])
    Direct(cloud, "sns").publish(TopicArn=target["Arn"], Message=text)


def _send(
    cloud: Cloud, rule: Mapping[str, str], target: Mapping[str, Any], event: Mapping[str, Any], text: str
) -> None:  # noqa: ARG001
    _allow(cloud, rule, "sqs:SendMessage", target["Arn"])
    client = Direct(cloud, "sqs")
    client.send_message(QueueUrl=_queue_url(client, target["Arn"]), MessageBody=text)


_TARGETS: dict[str, Callable[..., None]] = {
    "states": _start_execution,
    "lambda": _invoke,
    "sns": _publish,
    "sqs": _send,
}


def _allow(cloud: Cloud, rule: Mapping[str, str], action: str, resource: str) -> None:
    """EventBridge calls as itself: the target's own policy has to allow it."""
    cloud.iam.authorize_service(_PRINCIPAL, action, resource, {"aws:SourceArn": rule["arn"]})


def _queue_url(client: Any, arn: str) -> str:
    return str(client.get_queue_url(QueueName=arn.rsplit(":", 1)[-1])["QueueUrl"])


def _code(error: Exception) -> str:
    if isinstance(error, ClientError):
        return str(error.response["Error"]["Code"])
    return getattr(error, "code", type(error).__name__)


def _may_pass(error: Exception) -> bool:
    """Throttling and a service's own faults may pass; a refusal will not."""
    if isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400)
    elif isinstance(error, AwsError):
        status = error.status
    else:
        return False
    return status >= 500 or status == 429 or "Throttl" in _code(error)


def _dead_letter(
    cloud: Cloud,
    rule: Mapping[str, str],
    target: Mapping[str, Any],
    event: Mapping[str, Any],
    code: str,
    message: str,
    retries: int,
) -> None:
    _log.warning("event not delivered rule=%s target=%s code=%s", rule["name"], target["Arn"], code)
    cloud.put_metric("AWS/Events", "FailedInvocations", 1, "Count", {"RuleName": rule["name"]})
    queue = target.get("DeadLetterConfig", {}).get("Arn")
    if not queue:
        return
    attributes = {
        "RULE_ARN": rule["arn"],
        "TARGET_ARN": target["Arn"],
        "ERROR_CODE": code,
        "ERROR_MESSAGE": message[:1024] or code,
        "EXHAUSTED_RETRY_CONDITION": "MaximumRetryAttempts" if retries else "None",
        "RETRY_ATTEMPTS": str(retries),
    }
    try:
        _allow(cloud, rule, "sqs:SendMessage", queue)
        _send_dead(cloud, queue, event, attributes)
    except Exception:
        _log.exception("dead letter lost rule=%s queue=%s", rule["name"], queue)  # as on AWS, where only a metric tells
        cloud.put_metric("AWS/Events", "InvocationsFailedToBeSentToDlq", 1, "Count", {"RuleName": rule["name"]})


def _send_dead(cloud: Cloud, queue: str, event: Mapping[str, Any], attributes: Mapping[str, str]) -> None:
    client = Direct(cloud, "sqs")
    typed = {key: {"DataType": "String", "StringValue": value} for key, value in attributes.items()}
    client.send_message(QueueUrl=_queue_url(client, queue), MessageBody=json.dumps(event), MessageAttributes=typed)
