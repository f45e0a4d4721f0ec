"""`arn:aws:states:::sagemaker:…`: SageMaker's API as a task, and `.sync`, which waits until the job has ended.

https://docs.aws.amazon.com/step-functions/latest/dg/connect-sagemaker.html
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError
from moto.stepfunctions.parser.api import HistoryEventType
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEventException
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.resource import ResourceCondition
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service import StateTaskService
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails
from moto.stepfunctions.parser.asl.utils.encoding import to_json_str
from moto.stepfunctions.parser.utils import camel_to_snake_case

from modelwright.local.stepfunctions import service_errors
from modelwright.local.stepfunctions.clients import client_for
from modelwright.local.stepfunctions.failures import TASK_FAILED
from modelwright.local.stepfunctions.payloads import metadata, to_output, to_request
from modelwright.local.stepfunctions.sagemaker_fields import FIELDS, JOBS
from modelwright.local.stepfunctions.tasks import task_failure

if TYPE_CHECKING:
    from botocore.client import BaseClient

    from modelwright.local.stepfunctions.environment import LocalEnvironment

log = logging.getLogger(__name__)

MANAGED_BY: Final = {"Key": "MANAGED_BY_AWS", "Value": "STARTED_BY_STEP_FUNCTIONS"}
"""the tag by which the managed rules find the jobs that Step Functions started"""
GENERAL_ERROR: Final = "SageMaker.AmazonSageMakerException"


class SageMakerTask(StateTaskService):  # type: ignore[misc]  # moto carries no types
    """One task of the optimized integration."""

    def _get_sfn_resource(self) -> str:
        action: str = self.resource.api_action
        return f"{action}.{self.resource.condition}" if self.resource.condition else action

    def _get_supported_parameters(self) -> frozenset[str] | None:
        action = self.resource.api_action
        if self.resource.condition is not None and (
            self.resource.condition != ResourceCondition.Sync or action not in JOBS
        ):
            return None
        return FIELDS.get(action)

    def _from_error(self, env: LocalEnvironment, ex: Exception) -> Any:
        if isinstance(ex, ClientError):
            model = env.runtime.client("sagemaker", env.aws_execution_details.role_arn).meta.service_model
            return task_failure(self, env, *service_errors.optimized("sagemaker", ex, model))
        if isinstance(ex, ParamValidationError):
            return task_failure(self, env, GENERAL_ERROR, f"{ex} (Service: AmazonSageMaker; Status Code: 400)")
        if isinstance(ex, BotoCoreError):
            return task_failure(self, env, "SageMaker.SdkClientException", str(ex))
        return super()._from_error(env=env, ex=ex)

    def _eval_service_task(
        self, env: LocalEnvironment, resource_runtime_part: Any, normalised_parameters: Any, state_credentials: Any
    ) -> None:
        client = client_for(resource_runtime_part.region, "sagemaker", state_credentials)
        action = self.resource.api_action
        operation = client.meta.service_model.operation_model(action[:1].upper() + action[1:])
        request = to_request(normalised_parameters, operation.input_shape)
        if self.resource.condition is not None:
            request["Tags"] = [*request.get("Tags", []), MANAGED_BY]
        response = getattr(client, camel_to_snake_case(action))(**request)
        env.stack.append({**to_output(response, operation.output_shape, "millis"), **metadata(response)})

    def _after_eval_execution(
        self, env: LocalEnvironment, resource_runtime_part: Any, normalised_parameters: Any, state_credentials: Any
    ) -> None:
        if self.resource.condition is not None:
            self._tell_submitted(env)
            client = client_for(resource_runtime_part.region, "sagemaker", state_credentials)
            job = _Job(client, JOBS[self.resource.api_action], normalised_parameters)
            env.stack.append(self._result(env, job))
        super()._after_eval_execution(env, resource_runtime_part, normalised_parameters, state_credentials)

    def _tell_submitted(self, env: LocalEnvironment) -> None:
        details: Any = {
            "resource": self._get_sfn_resource(),
            "resourceType": self._get_sfn_resource_type(),
            "output": to_json_str(env.stack.pop()),
            "outputDetails": {"truncated": False},
        }
        env.event_manager.add_event(
            env.event_history_context, HistoryEventType.TaskSubmitted, EventDetails(taskSubmittedEventDetails=details)
        )

    def _result(self, env: LocalEnvironment, job: _Job) -> Any:
        """Wait for the job's end and give its description; a job that did not complete fails the task."""
        env.cleanups.append(job.stop)
        if env.over.is_set():
            env.run_cleanups()
        env.check_running()
        env.runtime.wait_for_job(job.kind, job.name, None)
        env.check_running()
        env.cleanups.clear()
        description = job.describe()
        if description[f"{job.kind}Status"] == "Completed":
            return description
        cause = to_json_str(description, separators=(",", ":"))
        raise FailureEventException(failure_event=task_failure(self, env, TASK_FAILED, cause))


class _Job:
    """A job that was started, as the state machine's role sees it."""

    def __init__(self, client: BaseClient, kind: str, request: dict[str, Any]) -> None:
        self.kind = kind
        self.name: str = request[f"{kind}Name"]
        self._client = client

    def describe(self) -> dict[str, Any]:
        """Give the Describe…Job shape, tags as a map."""
        operation = self._client.meta.service_model.operation_model(f"Describe{self.kind}")
        response = getattr(self._client, camel_to_snake_case(operation.name))(**{f"{self.kind}Name": self.name})
        description: dict[str, Any] = to_output(response, operation.output_shape, "millis")
        tags = self._client.list_tags(ResourceArn=description[f"{self.kind}Arn"])["Tags"]
        return {**description, "Tags": {tag["Key"]: tag["Value"] for tag in tags}}

    def stop(self) -> None:
        """Stop the job, as the role; a job that has ended meanwhile is left alone."""
        try:
            getattr(self._client, camel_to_snake_case(f"Stop{self.kind}"))(**{f"{self.kind}Name": self.name})
        except (ClientError, BotoCoreError) as error:
            log.warning("The %s %s was not stopped: %s", self.kind, self.name, error)
