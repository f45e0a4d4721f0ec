"""Waiting for the endpoint, and asking it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelwright.workflow.expressions import jsonata
from modelwright.workflow.functions import timeout_of
from modelwright.workflow.states_endpoint import QUICK_POLLS, max_polls, poll_wait
from modelwright.workflow.tasks import SAGEMAKER_SDK_ERRORS, State, call, catch, function

if TYPE_CHECKING:
    from modelwright.workflow.structure import WorkflowStructure


def watch_endpoint(structure: WorkflowStructure) -> State:
    """Ask how far the deployment is."""
    reason = "$exists($states.result.FailureReason) ? $states.result.FailureReason : 'no reason was given'"
    return {
        "Comment": f"How far is the deployment of {structure.pipeline}?",
        **call("aws-sdk:sagemaker:describeEndpoint", {"EndpointName": "${EndpointName}"}, SAGEMAKER_SDK_ERRORS),
        "Assign": {
            "endpoint_status": jsonata("$states.result.EndpointStatus"),
            "endpoint_config": jsonata("$states.result.EndpointConfigName"),
            "endpoint_reason": jsonata(reason),
        },
        "Output": {
            "status": jsonata("$states.result.EndpointStatus"),
            "endpointConfig": jsonata("$states.result.EndpointConfigName"),
        },
        "Catch": catch("WatchEndpoint", "RestoreEndpoint"),
        "Next": "CheckEndpoint",
    }


def check_endpoint(structure: WorkflowStructure) -> State:
    """InService on another configuration is a rollback, which AWS does not report as a failure.

    Straight after the update an answer may still be the old one: a rollback is believed after the quick polls only.
    """
    serving = "$endpoint_status = 'InService'"
    ended = f"({serving} and $endpoint_polls >= {QUICK_POLLS}) or $endpoint_status in ['Failed', 'OutOfService', "
    return {
        "Type": "Choice",
        "Comment": f"Does the endpoint of {structure.pipeline} serve the new model?",
        "Choices": [
            {"Condition": jsonata(f"{serving} and $endpoint_config = $config_name"), "Next": "SmokeTest"},
            {"Condition": jsonata(f"{ended}'UpdateRollbackFailed']"), "Next": "ExplainDeployment"},
            {"Condition": jsonata(f"$endpoint_polls < {max_polls(structure.limits)}"), "Next": "WaitForEndpoint"},
        ],
        "Default": "ExplainDeployment",
    }


def wait_for_endpoint(structure: WorkflowStructure) -> State:
    """A short while at first, then half a minute."""
    return {
        "Type": "Wait",
        "Comment": f"The endpoint of {structure.pipeline} is being changed",
        "Seconds": poll_wait("$endpoint_polls"),
        "Assign": {"endpoint_polls": jsonata("$endpoint_polls + 1")},
        "Next": "WatchEndpoint",
    }


def explain_deployment(structure: WorkflowStructure) -> State:
    """Say what became of the deployment."""
    error = (
        "$endpoint_status = 'InService' ? 'DeploymentRolledBack' : "
        "($endpoint_status in ['Failed', 'OutOfService', 'UpdateRollbackFailed'] ? 'DeploymentFailed' : "
        "'DeploymentTimedOut')"
    )
    cause = (
        "'The endpoint ${EndpointName} is ' & $endpoint_status & ' with the configuration ' & $endpoint_config & "
        "'; asked for was ' & $config_name & ': ' & $endpoint_reason"
    )
    return {
        "Type": "Pass",
        "Comment": f"The new model of {structure.pipeline} does not serve",
        "Assign": {"failure": {"state": "DeployEndpoint", "error": jsonata(error), "cause": jsonata(cause)}},
        "Next": "RestoreEndpoint",
    }


def smoke_test(structure: WorkflowStructure) -> State:
    """Ask the endpoint for predictions and look at the answer."""
    payload = {"release": jsonata("$plan.run.release")}
    return {
        "Comment": f"Does the new model of {structure.pipeline} answer?",
        **function("SmokeTestFunctionArn", payload, timeout_seconds=timeout_of("smoke_test")),
        "Output": jsonata("$states.result.Payload"),
        "Catch": catch("SmokeTest", "RestoreEndpoint"),
        "Next": "PromoteModel",
    }
