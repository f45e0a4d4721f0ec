"""The one failure path: restore, release, record, notify, fail. A failure enters it as deep as it got.

RestoreEndpoint     what may have touched the endpoint
ReleaseFailedLease  what held the lease
MarkRunFailed       everything else
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from modelwright.workflow.expressions import RUN_ID, jsonata, tags
from modelwright.workflow.functions import timeout_of
from modelwright.workflow.states_endpoint import max_polls, poll_wait
from modelwright.workflow.tasks import DYNAMODB_ERRORS, SNS_ERRORS, State, call, function

if TYPE_CHECKING:
    from modelwright.workflow.structure import WorkflowStructure

MAX_CAUSE: Final = 30_000  # of the 32,768 characters that a cause may have
MAX_MESSAGE_CAUSE: Final = 8_000
_ANY_ERROR: Final = {"ErrorEquals": ["States.ALL"]}
STATUS: Final = "$failure.error = 'RolledBack' ? 'RolledBack' : 'Failed'"
"""A deployment that an alarm sent back is no accident: the model that served before still does."""
_SUBJECT: Final = "($failure.error = 'RolledBack' ? 'deployment rolled back' : 'run failed')"
NOT_RESTORED: Final = "not restored: RestoreEndpoint failed, see the execution's history"


def restore_endpoint(structure: WorkflowStructure) -> State:
    """One step nearer to what served before; the function says whether it is there."""
    payload = {
        "execution": jsonata("$states.context.Execution.Id"),
        "fence": jsonata("$lease.fence"),
        "previous_config": jsonata("$previous_config"),
        "package_arn": jsonata("$package_arn"),
        "failure": jsonata("$failure"),
        "polls": jsonata("$restore_polls"),
        "tags": tags(structure),
        **({"scaling": jsonata("$scaling")} if structure.autoscaling else {}),
    }
    return {
        "Comment": f"What served {structure.pipeline} before still serves",
        **function("RestoreEndpointFunctionArn", payload, timeout_seconds=timeout_of("restore_endpoint")),
        "Assign": {"restored": jsonata("$states.result.Payload.status")},
        "Output": jsonata("$states.result.Payload"),
        "Catch": [{**_ANY_ERROR, "Assign": {"restored": NOT_RESTORED}, "Output": {}, "Next": "ReleaseFailedLease"}],
        "Next": "CheckRestore",
    }


def check_restore(structure: WorkflowStructure) -> State:
    """The lease is given back when the endpoint rests again."""
    return {
        "Type": "Choice",
        "Comment": f"Does the endpoint of {structure.pipeline} serve as before?",
        "Choices": [
            {
                "Condition": jsonata(f"$restored = 'waiting' and $restore_polls < {max_polls(structure.limits)}"),
                "Next": "WaitForRestore",
            }
        ],
        "Default": "ReleaseFailedLease",
    }


def wait_for_restore(structure: WorkflowStructure) -> State:
    """A short while at first, then half a minute."""
    return {
        "Type": "Wait",
        "Comment": f"The endpoint of {structure.pipeline} is being put back",
        "Seconds": poll_wait(structure.limits, "$restore_polls"),
        "Assign": {"restore_polls": jsonata("$restore_polls + 1")},
        "Next": "RestoreEndpoint",
    }


def run_update(structure: WorkflowStructure, status: str, **fields: dict[str, Any]) -> dict[str, Any]:
    """The request that writes `status`, the end and `fields` into the run's item."""
    values = {"status": {"S": status}, "ended_at": {"S": jsonata("$states.context.State.EnteredTime")}, **fields}
    return {
        "TableName": "${TableName}",
        "Key": {"pk": {"S": f"PIPELINE#{structure.pipeline}"}, "sk": {"S": jsonata(f"'RUN#' & {RUN_ID}")}},
        "UpdateExpression": "SET " + ", ".join(f"#{name} = :{name}" for name in values),
        "ExpressionAttributeNames": {f"#{name}": name for name in values},
        "ExpressionAttributeValues": {f":{name}": value for name, value in values.items()},
    }


def _reason(structure: WorkflowStructure) -> str:
    """What a person wants to read: a job's or a build's failure, a function's message, or the cause as it is.

    https://docs.aws.amazon.com/codebuild/latest/APIReference/API_BuildPhase.html
    """
    cause = "$failure.cause"
    is_object = f"$contains({cause}, /^\\{{/) and $contains({cause}, /\\}}$/)"
    parsed = f"$parse({cause})"
    chosen = (
        f"$exists({parsed}.FailureReason) ? {parsed}.FailureReason : "
        f"($exists({parsed}.errorMessage) ? {parsed}.errorMessage : {_of_build(parsed, cause, structure)})"
    )
    return f"({is_object}) ? ({chosen}) : {cause}"


def _of_build(parsed: str, cause: str, structure: WorkflowStructure) -> str:
    """What CodeBuild says of the phases that failed, where a build can end the run."""
    if not structure.script_image:
        return cause
    build = f"{parsed}.Build"
    said = f"$join({build}.Phases[PhaseStatus = 'FAILED'].Contexts.Message, '; ')"
    sentence = f"'the build ' & {build}.Id & ' ended as ' & {build}.BuildStatus & ': ' & {said}"
    return f"($exists({build}) ? $substring({sentence}, 0, {MAX_MESSAGE_CAUSE}) : {cause})"


def mark_run_failed(structure: WorkflowStructure) -> State:
    """Record the failure, and take the readable part out of its cause."""
    update = run_update(
        structure,
        jsonata(STATUS),
        failed_state={"S": jsonata("$failure.state")},
        error={"S": jsonata("$failure.error")},
        cause={"S": jsonata(f"$substring($failure.cause, 0, {MAX_CAUSE})")},
        execution={"S": jsonata("$states.context.Execution.Id")},
    )
    return {
        **call("dynamodb:updateItem", update, DYNAMODB_ERRORS),
        "Assign": {"reason": jsonata(_reason(structure))},
        "Output": jsonata("$failure"),
        # The table or the cause's text may be at fault: whoever waits is told all the same.
        "Catch": [
            {
                "ErrorEquals": ["States.ALL"],
                "Assign": {"reason": jsonata("$failure.cause")},
                "Output": jsonata("$failure"),
                "Next": "NotifyFailure",
            }
        ],
        "Next": "NotifyFailure",
    }


def notify_failure(structure: WorkflowStructure) -> State:
    """Tell the subscribers what failed, why, and what became of the endpoint."""
    lines = [
        f"'The run of {structure.pipeline}: ' & {_SUBJECT} & ', in ' & $failure.state & '.'",
        "'Error: ' & $failure.error",
        f"'Reason: ' & $substring($reason, 0, {MAX_MESSAGE_CAUSE})",
        "'Endpoint: ' & $restored",
        "'Execution: ' & $states.context.Execution.Id",
    ]
    arguments = {
        "TopicArn": "${TopicArn}",
        "Subject": jsonata(f"'{structure.pipeline}: ' & {_SUBJECT}"),
        "Message": jsonata("$join([" + ", ".join(lines) + "], '\\n')"),
        "MessageAttributes": {
            "pipeline": {"DataType": "String", "StringValue": structure.pipeline},
            "status": {"DataType": "String", "StringValue": jsonata(STATUS)},
        },
    }
    return {
        **call("sns:publish", arguments, SNS_ERRORS),
        "Output": jsonata("$failure"),
        "Catch": [{"ErrorEquals": ["States.ALL"], "Output": jsonata("$failure"), "Next": "FailRun"}],
        "Next": "FailRun",
    }


def fail_run(structure: WorkflowStructure) -> State:
    """End with the first error's own name; the cause begins with the state in which it happened."""
    return {
        "Type": "Fail",
        "Comment": f"The run of {structure.pipeline} failed",
        "Error": jsonata("$failure.error"),
        "Cause": jsonata(f"$failure.state & ': ' & $substring($reason, 0, {MAX_CAUSE})"),
    }
