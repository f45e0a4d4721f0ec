"""The new model becomes the champion, and old ones go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelwright.workflow.expressions import jsonata
from modelwright.workflow.functions import timeout_of
from modelwright.workflow.tasks import State, catch, function

if TYPE_CHECKING:
    from modelwright.workflow.structure import WorkflowStructure


def promote_model(structure: WorkflowStructure) -> State:
    """Approve the package and move the champion pointer, if the lease is still this run's."""
    payload = {
        "execution": jsonata("$states.context.Execution.Id"),
        "fence": jsonata("$lease.fence"),
        "run": jsonata("$plan.run.id"),
        "started_at": jsonata("$plan.run.started_at"),
        "release": jsonata("$plan.run.release"),
        "package_arn": jsonata("$package_arn"),
        "endpoint_config": jsonata("$config_name"),
        "metrics": jsonata("$metrics"),
        "model": {name: jsonata(f"$model.{name}") for name in ("uri", "sha256", "serve")},
    }
    return {
        "Comment": f"The new champion of {structure.pipeline}",
        **function("PromoteModelFunctionArn", payload, timeout_seconds=timeout_of("promote_model")),
        "Output": jsonata("$states.result.Payload"),
        "Catch": catch("PromoteModel", "RestoreEndpoint"),
        "Next": "RemoveOldModels",
    }


def remove_old_models(structure: WorkflowStructure) -> State:
    """Delete models and configurations beyond the last N. What stays behind is not worth undoing a deployment."""
    payload = {"keep": jsonata("$plan.deploy.keep")}
    return {
        "Comment": f"Keep the newest models of {structure.pipeline}",
        **function("RemoveOldModelsFunctionArn", payload, timeout_seconds=timeout_of("remove_old_models")),
        "Output": jsonata("$states.result.Payload"),
        "Catch": [{"ErrorEquals": ["States.ALL"], "Output": {}, "Next": "ReleaseLease"}],
        "Next": "ReleaseLease",
    }
