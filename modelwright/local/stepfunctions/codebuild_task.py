"""`arn:aws:states:::codebuild:startBuild`, and `.sync`, which waits until the build has ended.

https://docs.aws.amazon.com/step-functions/latest/dg/connect-codebuild.html
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

from modelwright.local.stepfunctions import service_errors
from modelwright.local.stepfunctions.clients import client_for
from modelwright.local.stepfunctions.failures import TASK_FAILED
from modelwright.local.stepfunctions.payloads import metadata, to_output, to_request
from modelwright.local.stepfunctions.tasks import task_failure

if TYPE_CHECKING:
    from modelwright.local.stepfunctions.environment import LocalEnvironment

log = logging.getLogger(__name__)

START: Final = "startBuild"
RULE: Final = "StepFunctionsGetEventForCodeBuildStartBuildRule"
"""the managed rule by which Step Functions hears of a build's end:
https://docs.aws.amazon.com/step-functions/latest/dg/codebuild-iam.html"""
FIELDS: Final = frozenset({"EnvironmentVariablesOverride", "ProjectName"})
"""of those that AWS's CDK sends through this integration (aws-cdk-lib/aws-stepfunctions-tasks), what is used here"""


class CodeBuildTask(StateTaskService):  # type: ignore[misc]  # moto carries no types
    """One task of the optimized integration."""

    def _get_sfn_resource(self) -> str:
        action: str = self.resource.api_action
        return f"{action}.{self.resource.condition}" if self.resource.condition else action

    def _get_supported_parameters(self) -> frozenset[str] | None:
        known = self.resource.condition in (None, ResourceCondition.Sync)
        return FIELDS if known and self.resource.api_action == START else None

    def _from_error(self, env: LocalEnvironment, ex: Exception) -> Any:
        if isinstance(ex, ClientError):
            model = env.runtime.client("codebuild", env.aws_execution_details.role_arn).meta.service_model
            return task_failure(self, env, *service_errors.optimized("codebuild", ex, model))
        if isinstance(ex, ParamValidationError):
            return task_failure(self, env, service_errors.general("codebuild"), str(ex))
        if isinstance(ex, BotoCoreError):
            return task_failure(self, env, service_errors.client_side("codebuild"), str(ex))
        return super()._from_error(env=env, ex=ex)

    def _eval_service_task(
        self, env: LocalEnvironment, resource_runtime_part: Any, normalised_parameters: Any, state_credentials: Any
    ) -> None:
        client = client_for(resource_runtime_part.region, "codebuild", state_credentials)
        operation = client.meta.service_model.operation_model("StartBuild")
        response = client.start_build(**to_request(normalised_parameters, operation.input_shape))
        env.stack.append({**to_output(response, operation.output_shape, "millis"), **metadata(response)})

    def _after_eval_execution(
        self, env: LocalEnvironment, resource_runtime_part: Any, normalised_parameters: Any, state_credentials: Any
    ) -> None:
        if self.resource.condition is not None:
            started = env.stack.pop()
            self._tell_submitted(env, started)
            client = client_for(resource_runtime_part.region, "codebuild", state_credentials)
            env.stack.append(self._result(env, client, str(started["Build"]["Id"])))
        super()._after_eval_execution(env, resource_runtime_part, normalised_parameters, state_credentials)

    def _tell_submitted(self, env: LocalEnvironment, started: dict[str, Any]) -> None:
        details: Any = {
            "resource": self._get_sfn_resource(),
            "resourceType": self._get_sfn_resource_type(),
            "output": to_json_str(started),
            "outputDetails": {"truncated": False},
        }
        env.event_manager.add_event(
            env.event_history_context, HistoryEventType.TaskSubmitted, EventDetails(taskSubmittedEventDetails=details)
        )

    def _result(self, env: LocalEnvironment, client: Any, build_id: str) -> Any:
        """Give the build's description; one that did not succeed fails the task. Local builds have ended by then."""
        env.check_running()
        operation = client.meta.service_model.operation_model("BatchGetBuilds")
        found = to_output(client.batch_get_builds(ids=[build_id]), operation.output_shape, "millis")["Builds"][0]
        if found["BuildStatus"] == "SUCCEEDED":
            return {"Build": found}
        cause = to_json_str({"Build": found}, separators=(",", ":"))
        raise FailureEventException(failure_event=task_failure(self, env, TASK_FAILED, cause))
