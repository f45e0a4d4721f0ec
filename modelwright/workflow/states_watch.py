"""Waiting for the endpoint, and asking it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from modelwright.workflow.expressions import jsonata
from modelwright.workflow.functions import timeout_of
from modelwright.workflow.states_endpoint import max_polls, poll_wait
from modelwright.workflow.tasks import State, catch, function

SHADOW_WAITS: Final = "$shadow_bakes < 1"
"""What serves has the new model in its shadow, which has not baked yet."""

if TYPE_CHECKING:
    from modelwright.workflow.structure import WorkflowStructure


def watch_endpoint(structure: WorkflowStructure) -> State:
    """Look for some seconds whether the endpoint serves the new model."""
    payload = {"endpoint_config": jsonata("$asked_config"), "polls": jsonata("$endpoint_polls")}
    return {
        "Comment": f"How far is the deployment of {structure.pipeline}?",
        **function("WatchEndpointFunctionArn", payload, timeout_seconds=timeout_of("watch_endpoint")),
        "Assign": {"watched": jsonata("$states.result.Payload")},
        "Output": jsonata("$states.result.Payload"),
        "Catch": catch("WatchEndpoint", "RestoreEndpoint"),
        "Next": "CheckEndpoint",
    }


def check_endpoint(structure: WorkflowStructure) -> State:
    """Only InService with the configuration that was asked for is a success."""
    waiting = f"$watched.outcome = 'Waiting' and $endpoint_polls < {max_polls(structure.limits)}"
    shadow = jsonata(f"$watched.outcome = 'Serving' and {SHADOW_WAITS}")
    return {
        "Type": "Choice",
        "Comment": f"Does the endpoint of {structure.pipeline} serve the new model?",
        "Choices": [
            *([{"Condition": shadow, "Next": "BakeShadow"}] if structure.shadow else []),
            {"Condition": jsonata("$watched.outcome = 'Serving'"), "Next": "SmokeTest"},
            {"Condition": jsonata(waiting), "Next": "WaitForEndpoint"},
        ],
        "Default": "ExplainDeployment",
    }


def wait_for_endpoint(structure: WorkflowStructure) -> State:
    """At once at first, then half a minute."""
    return {
        "Type": "Wait",
        "Comment": f"The endpoint of {structure.pipeline} is being changed",
        "Seconds": poll_wait(structure.limits, "$endpoint_polls"),
        "Assign": {"endpoint_polls": jsonata("$endpoint_polls + 1")},
        "Next": "WatchEndpoint",
    }


def explain_deployment(structure: WorkflowStructure) -> State:
    """Say what became of the deployment. `RolledBack` is the run's status, too: AWS brought back what served."""
    error = (
        "$watched.outcome = 'RolledBack' ? 'RolledBack' : "
        "'Deployment' & ($watched.outcome = 'Waiting' ? 'TimedOut' : $watched.outcome)"
    )
    cause = (
        "$watched.reason & ' (the endpoint ${EndpointName} is ' & $watched.status & ' with the configuration ' & "
        "$watched.endpointConfig & '; asked for was ' & $asked_config & ')'"
    )
    return {
        "Type": "Pass",
        "Comment": f"The new model of {structure.pipeline} does not serve",
        "Assign": {"failure": {"state": "WatchEndpoint", "error": jsonata(error), "cause": jsonata(cause)}},
        "Next": "RestoreEndpoint",
    }


def smoke_test(structure: WorkflowStructure) -> State:
    """Ask the endpoint for predictions and look at the answer."""
    several = {"models": jsonata("$model.names")} if structure.endpoint == "multi-model" else {}
    payload = {
        "release": jsonata("$plan.run.release"),
        "run": jsonata("$plan.run.id"),
        "kind": jsonata("$plan.deploy.kind"),
        **several,
    }
    return {
        "Comment": f"Does the new model of {structure.pipeline} answer?",
        **function("SmokeTestFunctionArn", payload, timeout_seconds=timeout_of("smoke_test")),
        "Output": jsonata("$states.result.Payload"),
        "Catch": catch("SmokeTest", "RestoreEndpoint"),
        "Next": "SetScaling" if structure.autoscaling else "PromoteModel",
    }
