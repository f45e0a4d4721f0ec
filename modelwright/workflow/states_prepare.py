"""The beginning: an event becomes a run, or is seen to be one already."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from modelwright.workflow.expressions import jsonata
from modelwright.workflow.functions import timeout_of
from modelwright.workflow.tasks import State, catch, function

UNTOUCHED: Final = "not touched"  # what the failure path says of the endpoint unless RestoreEndpoint says more

if TYPE_CHECKING:
    from modelwright.workflow.structure import WorkflowStructure


def prepare_run(structure: WorkflowStructure) -> State:
    """Resolve the release into the variable `plan`, once an event."""
    payload = {
        "input": jsonata("$states.input"),
        "execution": {
            "arn": jsonata("$states.context.Execution.Id"),
            "started_at": jsonata("$states.context.Execution.StartTime"),
        },
    }
    return {
        "Comment": f"Resolve the release of {structure.pipeline} that the input names",
        **function("PrepareRunFunctionArn", payload, timeout_seconds=timeout_of("prepare_run")),
        "Assign": {
            "plan": jsonata("$states.result.Payload"),
            "capacity_waits": 0,
            "lease_waits": 0,
            "endpoint_polls": 0,
            "restore_polls": 0,
            "restored": UNTOUCHED,
            **_nothing_found(structure),
        },
        "Output": {"status": jsonata("$states.result.Payload.status"), "run": jsonata("$states.result.Payload.run")},
        "Catch": catch("PrepareRun", "MarkRunFailed", restored=UNTOUCHED),
        "Next": "CheckRun",
    }


def _nothing_found(structure: WorkflowStructure) -> dict[str, Any]:
    """What is known before the endpoint was looked at: no scaling, and no shadow that would have to bake."""
    scaling = {"scaling": {"found": False}} if structure.autoscaling else {}
    return {**scaling, **({"shadow_bakes": 1} if structure.shadow else {})}


def check_run(structure: WorkflowStructure) -> State:
    """An event that was delivered again ends here, and a merge that changed nothing; the run that took it goes on."""
    return {
        "Type": "Choice",
        "Comment": f"Has another execution of {structure.pipeline} taken this event, or done the same?",
        "Choices": [
            {"Condition": jsonata("$plan.status = 'Duplicate'"), "Next": "ReportDuplicate"},
            {"Condition": jsonata("$plan.status = 'Unchanged'"), "Next": "ReportUnchanged"},
        ],
        "Default": "ProcessData",
    }
