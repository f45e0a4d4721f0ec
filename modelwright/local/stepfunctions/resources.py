"""Which `Resource` a Task may have, and which fields its Arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from moto.core.utils import get_service_model

from modelwright.local.calls.protocol import known_services
from modelwright.local.stepfunctions import codebuild_task
from modelwright.local.stepfunctions.payloads import unknown_fields
from modelwright.local.stepfunctions.sagemaker_fields import FIELDS, JOBS
from modelwright.local.stepfunctions.tasks import SDK_ALIASES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from botocore.model import OperationModel

_PREFIX: Final = "arn:aws:states:::"
_LAMBDA: Final = "arn:aws:lambda:"
_OPTIMIZED: Final[dict[str, dict[str, frozenset[str]]]] = {
    # https://docs.aws.amazon.com/step-functions/latest/dg/connect-lambda.html
    "lambda": {"invoke": frozenset({"ClientContext", "FunctionName", "InvocationType", "Payload", "Qualifier"})},
    # https://docs.aws.amazon.com/step-functions/latest/dg/connect-sns.html
    "sns": {
        "publish": frozenset(
            {
                "Message",
                "MessageAttributes",
                "MessageDeduplicationId",
                "MessageGroupId",
                "MessageStructure",
                "PhoneNumber",
                "Subject",
                "TargetArn",
                "TopicArn",
            }
        )
    },
    # https://docs.aws.amazon.com/step-functions/latest/dg/connect-sqs.html
    "sqs": {
        "sendMessage": frozenset(
            {
                "DelaySeconds",
                "MessageAttributes",
                "MessageBody",
                "MessageDeduplicationId",
                "MessageGroupId",
                "QueueUrl",
            }
        )
    },
    # https://docs.aws.amazon.com/step-functions/latest/dg/connect-eventbridge.html
    "events": {"putEvents": frozenset({"Entries"})},
    # https://docs.aws.amazon.com/step-functions/latest/dg/connect-ddb.html
    "dynamodb": {
        action: frozenset()
        for action in ("deleteItem", "getItem", "putItem", "updateItem")  # every field of the API
    },
    "sagemaker": FIELDS,
    # https://docs.aws.amazon.com/step-functions/latest/dg/connect-codebuild.html
    "codebuild": {codebuild_task.START: codebuild_task.FIELDS},
}
_SYNC: Final[dict[str, Mapping[str, str]]] = {"sagemaker": JOBS, "codebuild": {codebuild_task.START: "Build"}}
"""The calls that can be waited for, and what they start."""


def resource_problem(resource: str) -> str | None:
    """Say why a Task cannot have this resource here; None when it can."""
    return None if resource.startswith(_LAMBDA) else _integration_problem(resource)


def _integration_problem(resource: str) -> str | None:
    if not resource.startswith(_PREFIX):
        return f"The resource '{resource}' is not one that the local cloud runs; allowed: {_PREFIX}… and {_LAMBDA}…"
    service, _, action = resource.removeprefix(_PREFIX).partition(":")
    if service == "aws-sdk":
        return _sdk_problem(resource, action)
    action, _, pattern = action.partition(".")
    if service not in _OPTIMIZED:
        return f"The integration '{service}' does not run in the local cloud; allowed: aws-sdk, {', '.join(_OPTIMIZED)}"
    if action not in _OPTIMIZED[service]:
        return f"The resource provided {resource} is not recognized; allowed: {', '.join(sorted(_OPTIMIZED[service]))}"
    if pattern and not (pattern == "sync" and action in _SYNC.get(service, {})):
        return f"The resource provided {resource} is not recognized: '.{pattern}' is not supported for it here"
    return None


def unknown_arguments(resource: str, arguments: dict[str, Any]) -> Iterator[str]:
    """Give the fields that this resource does not take, each with its path."""
    if resource.startswith(_LAMBDA):
        return
    service, _, action = resource.removeprefix(_PREFIX).partition(":")
    if service == "aws-sdk":
        service, _, action = action.partition(":")
        yield from unknown_fields(arguments, _input_shape(service, action))
        return
    action = action.partition(".")[0]
    allowed = _OPTIMIZED[service][action]
    for field in arguments:
        if allowed and field.removesuffix(".$") not in allowed:
            yield field
    known = {key: value for key, value in arguments.items() if not allowed or key.removesuffix(".$") in allowed}
    if service in _SYNC:
        yield from unknown_fields(known, _input_shape(service, action))


def sync_jobs(definition: Any) -> set[str]:
    """Give the kinds of SageMaker job, and `Build`, that a definition waits for."""
    if isinstance(definition, list):
        return {kind for member in definition for kind in sync_jobs(member)}
    if not isinstance(definition, dict):
        return set()
    found = {kind for member in definition.values() for kind in sync_jobs(member)}
    resource = str(definition.get("Resource", ""))
    service, _, call = resource.removeprefix(_PREFIX).partition(":")
    if resource.startswith(_PREFIX) and call.endswith(".sync") and service in _SYNC:
        found.add(_SYNC[service][call.removesuffix(".sync")])
    return found


def _sdk_problem(resource: str, call: str) -> str | None:
    service, _, action = call.partition(":")
    if SDK_ALIASES.get(service, service) not in known_services():
        return f"The resource provided {resource} is not recognized: the local cloud has no service '{service}'"
    if _operation(service, action) is None:
        return f"The resource provided {resource} is not recognized: '{service}' has no action '{action}'"
    return None


def _operation(service: str, action: str) -> OperationModel | None:
    name = action[:1].upper() + action[1:]
    model = get_service_model(SDK_ALIASES.get(service, service))
    return model.operation_model(name) if name in model.operation_names and action[:1].islower() else None


def _input_shape(service: str, action: str) -> Any:
    operation = _operation(service, action)
    return operation.input_shape if operation is not None else None
