"""One deployment of an endpoint at a time: runs train side by side and deploy one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from modelwright.workflow.expressions import jsonata
from modelwright.workflow.functions import timeout_of
from modelwright.workflow.tasks import DYNAMODB_ERRORS, State, call, catch, function

if TYPE_CHECKING:
    from modelwright.workflow.structure import Limits, WorkflowStructure

FIRST_WAITS_SECONDS: Final = [0, 1, 2, 4, 8, 16, 32]
LONGEST_WAIT_SECONDS: Final = 60
MAX_LONGEST_WAITS: Final = 330
"""An environment whose leases last longer asks more seldom, so that a run's history does not grow."""


def longest_wait_seconds(limits: Limits) -> int:
    """How long lies between two questions for the lease, at most."""
    return max(LONGEST_WAIT_SECONDS, -(-limits.lease_wait_seconds // MAX_LONGEST_WAITS))


def max_lease_waits(limits: Limits) -> int:
    """How often a run asks for the lease before it gives up."""
    return -(-limits.lease_wait_seconds // longest_wait_seconds(limits)) + len(FIRST_WAITS_SECONDS)


def acquire_deployment(structure: WorkflowStructure) -> State:
    """Take the endpoint's lease, unless a newer run is the champion already."""
    payload = {
        "execution": jsonata("$states.context.Execution.Id"),
        "run": jsonata("$plan.run.id"),
        "started_at": jsonata("$plan.run.started_at"),
    }
    return {
        "Comment": f"One deployment of {structure.pipeline} at a time",
        **function("AcquireDeploymentFunctionArn", payload, timeout_seconds=timeout_of("acquire_deployment")),
        "Assign": {"lease": jsonata("$states.result.Payload")},
        "Output": jsonata("$states.result.Payload"),
        # The lease may have been taken before the error: give it back.
        "Catch": catch("AcquireDeployment", "ReleaseFailedLease"),
        "Next": "CheckLease",
    }


def check_lease(structure: WorkflowStructure) -> State:
    """Deploy, give way to a newer champion, or wait for the run that deploys now."""
    busy = f"$lease.status = 'Busy' and $lease_waits < {max_lease_waits(structure.limits)}"
    return {
        "Type": "Choice",
        "Comment": f"May this run deploy to the endpoint of {structure.pipeline} now?",
        "Choices": [
            {"Condition": jsonata("$lease.status = 'Acquired'"), "Next": "CreateModel"},
            {"Condition": jsonata("$lease.status = 'Superseded'"), "Next": "MarkRunSuperseded"},
            {"Condition": jsonata(busy), "Next": "WaitForLease"},
        ],
        "Default": "ExplainBusyEndpoint",
    }


def wait_for_lease(structure: WorkflowStructure) -> State:
    """Wait 0, 1, 2, 4 ... 60 seconds."""
    first = len(FIRST_WAITS_SECONDS)
    wait = f"$lease_waits < {first} ? {FIRST_WAITS_SECONDS}[$lease_waits] : {longest_wait_seconds(structure.limits)}"
    return {
        "Type": "Wait",
        "Comment": f"Another run deploys to the endpoint of {structure.pipeline}",
        "Seconds": jsonata(wait),
        "Assign": {"lease_waits": jsonata("$lease_waits + 1")},
        "Next": "AcquireDeployment",
    }


def explain_busy_endpoint(structure: WorkflowStructure) -> State:
    """The other run's deployment takes too long: say so."""
    cause = (
        f"'Another execution held the endpoint of {structure.pipeline} for more than "
        f"{structure.limits.lease_wait_seconds} seconds: ' & $lease.holder"
    )
    return {
        "Type": "Pass",
        "Assign": {
            "failure": {"state": "AcquireDeployment", "error": "EndpointBusy", "cause": jsonata(cause)},
        },
        "Next": "MarkRunFailed",
    }


def _release() -> dict[str, Any]:
    """Give the lease back when it is this execution's; the fence stays, so that it only grows."""
    return call(
        "dynamodb:updateItem",
        {
            "TableName": "${TableName}",
            "Key": {"pk": {"S": "ENDPOINT#${EndpointName}"}, "sk": {"S": "LEASE"}},
            "UpdateExpression": "REMOVE #execution, expires_at_epoch_seconds",
            "ConditionExpression": "#execution = :execution",
            "ExpressionAttributeNames": {"#execution": "execution"},
            "ExpressionAttributeValues": {":execution": {"S": jsonata("$states.context.Execution.Id")}},
        },
        DYNAMODB_ERRORS,
    )


def release_lease(structure: WorkflowStructure) -> State:
    """Let the next run deploy. What could not be released ends by its time."""
    return {
        "Comment": f"The endpoint of {structure.pipeline} is free",
        **_release(),
        "Output": {},
        "Catch": [{"ErrorEquals": ["States.ALL"], "Output": {}, "Next": "NotifySuccess"}],
        "Next": "NotifySuccess",
    }


def release_failed_lease(structure: WorkflowStructure) -> State:
    """Let the next run deploy after this one's failure. What could not be released ends by its time."""
    return {
        "Comment": f"The endpoint of {structure.pipeline} is free",
        **_release(),
        "Output": {},
        "Catch": [{"ErrorEquals": ["States.ALL"], "Output": {}, "Next": "MarkRunFailed"}],
        "Next": "MarkRunFailed",
    }
