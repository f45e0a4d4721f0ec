"""Task states that call a service: what moto's integrations answer differently from Step Functions."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError
from moto.stepfunctions.parser.api import HistoryEventType
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEventException
from moto.stepfunctions.parser.asl.component.state.exec.execute_state import ExecutionState
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_aws_sdk import (
    StateTaskServiceAwsSdk,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.state_task import StateTask
from moto.stepfunctions.parser.utils import camel_to_snake_case

from modelwright.local.stepfunctions import service_errors
from modelwright.local.stepfunctions.clients import client_for
from modelwright.local.stepfunctions.failures import TIMEOUT, failure, runtime_failure
from modelwright.local.stepfunctions.payloads import to_output, to_request

if TYPE_CHECKING:
    from collections.abc import Callable

    from botocore.client import BaseClient

    from modelwright.local.stepfunctions.environment import LocalEnvironment

_moto_state_from_error = ExecutionState._from_error  # noqa: SLF001  # called from the function in its place
SDK_ALIASES = {
    "applicationautoscaling": "application-autoscaling",
    "sfn": "stepfunctions",
    "eventbridge": "events",
    "cloudwatchlogs": "logs",
    "sagemakerruntime": "sagemaker-runtime",
}
"""names in `aws-sdk:<name>:…` that botocore calls otherwise"""


def eval_parameters(self: Any, env: LocalEnvironment) -> dict[str, Any]:
    """In place of `StateTask._eval_parameters`, which drops the fields that an integration does not know."""
    if self.parargs is None:
        return {}
    self.parargs.eval(env=env)
    parameters = env.stack.pop()
    if not isinstance(parameters, dict):
        raise runtime_failure(env, f"The Arguments of a task must be an object; found {parameters!r}.")
    supported = self._get_supported_parameters()
    for field in parameters:
        if supported and field not in supported:
            raise runtime_failure(env, f'The field "{field}" is not supported by Step Functions')
    return parameters


def state_from_error(self: Any, env: LocalEnvironment, ex: Exception) -> Any:
    """In place of `ExecutionState._from_error`: a Map or Parallel that takes too long is States.Timeout."""
    if isinstance(ex, TimeoutError):
        return failure(env, TIMEOUT, None, HistoryEventType.TaskTimedOut, "taskTimedOutEventDetails").failure_event
    return _moto_state_from_error(self, env, ex)


def naming_refusals(module: str, owner: str) -> Callable[..., Any]:
    """Make the `_from_error` of an optimized integration: the service's refusal gets Step Functions' name of it.

    moto's own is asked about what is no refusal of the service (a Lambda function's error, an event not taken).
    """
    moto_from_error = getattr(importlib.import_module(module), owner)._from_error  # noqa: SLF001  # what is replaced

    def from_error(self: Any, env: LocalEnvironment, ex: Exception) -> Any:
        service = self.resource.service_name
        if isinstance(ex, ClientError):
            model = _client_of(self, env).meta.service_model
            return task_failure(self, env, *service_errors.optimized(service, ex, model))
        if isinstance(ex, ParamValidationError):
            return task_failure(self, env, service_errors.general(service), str(ex))
        if isinstance(ex, BotoCoreError):
            return task_failure(self, env, service_errors.client_side(service), str(ex))
        if isinstance(ex, (FailureEventException, TimeoutError)):
            return StateTask._from_error(self, env, ex)  # noqa: SLF001  # beyond moto's own naming
        return moto_from_error(self, env=env, ex=ex)

    return from_error


def task_failure(state: Any, env: LocalEnvironment, error: str, cause: str) -> Any:
    """Give the failure of a task, with its resource."""
    failed = failure(env, error, cause, HistoryEventType.TaskFailed, "taskFailedEventDetails").failure_event
    failed.event_details["taskFailedEventDetails"].update(
        resource=state._get_sfn_resource(),  # noqa: SLF001  # the state's own methods
        resourceType=state._get_sfn_resource_type(),  # noqa: SLF001
    )
    return failed


def _client_of(state: Any, env: LocalEnvironment) -> BaseClient:
    service = state._get_boto_service_name()  # noqa: SLF001  # the state's own method
    return env.runtime.client(service, env.aws_execution_details.role_arn)


class AwsSdkTask(StateTaskServiceAwsSdk):  # type: ignore[misc]  # moto carries no types
    """`arn:aws:states:::aws-sdk:<service>:<action>`."""

    def _get_boto_service_name(self, boto_service_name: str | None = None) -> str:
        name = boto_service_name or self.resource.api_name
        return SDK_ALIASES.get(name, name)

    def _from_error(self, env: LocalEnvironment, ex: Exception) -> Any:
        model = _client_of(self, env).meta.service_model
        if isinstance(ex, ClientError):
            error, cause = service_errors.sdk(ex, model)
            return task_failure(self, env, error, cause)
        if isinstance(ex, BotoCoreError):
            prefix = service_errors.sdk_prefix(model.service_id)
            refused = isinstance(ex, ParamValidationError)
            return task_failure(self, env, f"{prefix}.{prefix if refused else 'SdkClient'}Exception", str(ex))
        return StateTask._from_error(self, env, ex)  # noqa: SLF001  # beyond the class whose naming is replaced

    def _eval_service_task(
        self, env: LocalEnvironment, resource_runtime_part: Any, normalised_parameters: Any, state_credentials: Any
    ) -> None:
        client = client_for(resource_runtime_part.region, self._get_boto_service_name(), state_credentials)
        action = self.resource.api_action
        operation = client.meta.service_model.operation_model(action[:1].upper() + action[1:])
        request = normalised_parameters
        if operation.input_shape is not None:
            request = to_request(normalised_parameters, operation.input_shape)
        response = getattr(client, camel_to_snake_case(action))(**request) or {}
        env.stack.append(to_output(response, operation.output_shape, "iso"))
