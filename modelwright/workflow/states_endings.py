"""How an execution that did what it should ends: recorded, told, and with one output schema."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelwright.workflow.expressions import jsonata
from modelwright.workflow.states_failure import run_update
from modelwright.workflow.tasks import DYNAMODB_ERRORS, SNS_ERRORS, State, call, catch

if TYPE_CHECKING:
    from modelwright.workflow.structure import WorkflowStructure


_GATE = "$join($map($gate, function($item) { ($item.passed ? 'passed ' : 'missed ') & $item.text }), '; ')"


def _mark(structure: WorkflowStructure, status: str, next_state: str, **fields: dict[str, Any]) -> State:
    return {
        "Comment": f"The run of {structure.pipeline} ended as {status}",
        **call("dynamodb:updateItem", run_update(structure, status, **fields), DYNAMODB_ERRORS),
        "Output": {},
        "Catch": catch(f"MarkRun{status}", "MarkRunFailed"),
        "Next": next_state,
    }


def mark_run_rejected(structure: WorkflowStructure) -> State:
    """The model missed its gate: a result, not a failure."""
    return _mark(structure, "Rejected", "NotifyRejected", package_arn={"S": jsonata("$package_arn")})


def mark_run_registered(structure: WorkflowStructure) -> State:
    """The model passed and is not served by this pipeline."""
    return _mark(structure, "Registered", "NotifyRegistered", package_arn={"S": jsonata("$package_arn")})


def mark_run_superseded(structure: WorkflowStructure) -> State:
    """A newer run serves already."""
    return _mark(structure, "Superseded", "ReportSuperseded", superseded_by={"S": jsonata("$lease.champion")})


def _notify(structure: WorkflowStructure, status: str, sentence: str) -> State:
    lines = [
        f"'{sentence}'",
        "'Metrics: ' & $string($metrics)",
        f"'Gate: ' & {_GATE}",
        "'Package: ' & $package_arn",
        "'Execution: ' & $states.context.Execution.Id",
    ]
    arguments = {
        "TopicArn": "${TopicArn}",
        "Subject": f"{structure.pipeline}: {status}",
        "Message": jsonata("$join([" + ", ".join(lines) + "], '\\n')"),
        "MessageAttributes": {
            "pipeline": {"DataType": "String", "StringValue": structure.pipeline},
            "status": {"DataType": "String", "StringValue": status},
        },
    }
    told = jsonata("{'messageId': $states.result.MessageId}")
    return {
        **call("sns:publish", arguments, SNS_ERRORS),
        "Output": told,
        # The run did what it should: a message that could not be sent does not undo it.
        "Catch": [{"ErrorEquals": ["States.ALL"], "Output": {}, "Next": f"Report{status}"}],
        "Next": f"Report{status}",
    }


def notify_success(structure: WorkflowStructure) -> State:
    """Tell the subscribers about the new champion."""
    return _notify(structure, "Deployed", f"The pipeline {structure.pipeline} deployed a new model.")


def notify_rejected(structure: WorkflowStructure) -> State:
    """Tell the subscribers that what served before still does."""
    sentence = (
        f"The pipeline {structure.pipeline} trained a model that missed its gate; what served before still serves."
    )
    return _notify(structure, "Rejected", sentence)


def notify_registered(structure: WorkflowStructure) -> State:
    """Tell the subscribers about the new package."""
    return _notify(structure, "Registered", f"The pipeline {structure.pipeline} registered a new model.")


def _report(structure: WorkflowStructure, status: str, **fields: Any) -> State:
    output = {
        "status": status,
        "pipeline": structure.pipeline,
        "run": jsonata("$plan.run.id"),
        "release": jsonata("$plan.run.release"),
        "metrics": {},
        "gate": [],
        **fields,
    }
    return {"Type": "Succeed", "Output": output}


_JUDGED = {
    "metrics": jsonata("$metrics"),
    "gate": jsonata("[$gate]"),
    "modelPackageArn": jsonata("$package_arn"),
    "model": {name: jsonata(f"$model.{name}") for name in ("sha256", "serve", "reason")},
}


def report_deployed(structure: WorkflowStructure) -> State:
    """The new model serves."""
    return _report(structure, "Deployed", **_JUDGED, endpoint="${EndpointName}")


def report_rejected(structure: WorkflowStructure) -> State:
    """The model is registered as Rejected."""
    return _report(structure, "Rejected", **_JUDGED)


def report_registered(structure: WorkflowStructure) -> State:
    """The model is registered."""
    return _report(structure, "Registered", **_JUDGED)


def report_superseded(structure: WorkflowStructure) -> State:
    """A newer run's model serves."""
    return _report(structure, "Superseded", **_JUDGED)


def report_duplicate(structure: WorkflowStructure) -> State:
    """Another execution took this event."""
    return _report(structure, "Duplicate", of=jsonata("$plan.of"))


def report_unchanged(structure: WorkflowStructure) -> State:
    """The merge is, but for its commit, the one that another execution runs or ran."""
    return _report(structure, "Unchanged", of=jsonata("$plan.of"))
