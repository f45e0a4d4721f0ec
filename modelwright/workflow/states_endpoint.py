"""The endpoint: created, updated blue/green, or made again when it is broken; then watched until it really serves.

Statuses: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeEndpoint.html
Guardrails: https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-blue-green.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from modelwright.workflow.expressions import expression, jsonata, tags, with_optional
from modelwright.workflow.tasks import CLOUDWATCH_ERRORS, SAGEMAKER_ERRORS, SAGEMAKER_SDK_ERRORS, State, call, catch

if TYPE_CHECKING:
    from modelwright.workflow.structure import Limits, WorkflowStructure

# A function looks for ten seconds at a time. The first looks follow each other at once, then half a minute lies between
# two: about 100 rounds of 11 events an hour, far from the history's 25,000.
# Whole seconds, 0 allowed: https://docs.aws.amazon.com/step-functions/latest/dg/state-wait.html
QUICK_POLLS: Final = 6
SLOW_POLL_SECONDS: Final = 30
TERMINATION_SECONDS: Final = 60
MAX_SLOW_POLLS: Final = 120
"""An environment that waits for longer than an hour looks more seldom, so that a run's history does not grow."""
HOSTS: Final = {"realtime": "instances", "multi-model": "instances", "async": "async", "serverless": "serverless"}
"""What an endpoint of a kind is described as; one is never updated into another."""
_HOSTS: Final = (
    "$exists($states.result.AsyncInferenceConfig) ? 'async' : "
    "$exists($states.result.ProductionVariants.CurrentServerlessConfig) ? 'serverless' : 'instances'"
)
_PREVIOUS: Final = "$states.result.EndpointStatus = 'Failed' ? '' : $states.result.EndpointConfigName"
_SAME_VARIANTS: Final = (
    "$string($sort([$states.result.ProductionVariants.VariantName])) = "
    "$string($sort([$plan.deploy.variants.VariantName]))"
)


def slow_poll_seconds(limits: Limits) -> int:
    """How long lies between two looks at an endpoint."""
    return max(SLOW_POLL_SECONDS, -(-limits.deployment_seconds // MAX_SLOW_POLLS))


def max_polls(limits: Limits) -> int:
    """How often an endpoint is looked at before the deployment is given up."""
    return QUICK_POLLS + -(-limits.deployment_seconds // slow_poll_seconds(limits))


def update_timeout(limits: Limits) -> int:
    """When AWS gives an update up and rolls back: before we do, within what the API allows."""
    return max(600, min(28_800, limits.deployment_seconds // 2))


def poll_wait(limits: Limits, counter: str, quick_seconds: int = 0) -> str:
    """The seconds before the next poll, from the number of polls so far."""
    return jsonata(f"{counter} < {QUICK_POLLS} ? {quick_seconds} : {slow_poll_seconds(limits)}")


def inspect_endpoint(structure: WorkflowStructure) -> State:
    """What serves now, so that it can be put back."""
    describe = call(
        "aws-sdk:sagemaker:describeEndpoint",
        {"EndpointName": "${EndpointName}"},
        # An absent endpoint is a SageMakerException, as throttling is: CheckEndpointAbsent tells them apart.
        ["SageMaker.SdkClientException"],
    )
    return {
        "Comment": f"What serves {structure.pipeline} now",
        **describe,
        "Assign": {
            "endpoint_status": jsonata("$states.result.EndpointStatus"),
            "previous_config": jsonata(_PREVIOUS),
            "endpoint_hosts": jsonata(_HOSTS),
            "same_variants": jsonata(_SAME_VARIANTS),
        },
        "Output": {
            "status": jsonata("$states.result.EndpointStatus"),
            "endpointConfig": jsonata("$states.result.EndpointConfigName"),
        },
        "Catch": catch("InspectEndpoint", "CheckEndpointAbsent", previous_config=""),
        "Next": "DeployEndpoint",
    }


def check_endpoint_absent(structure: WorkflowStructure) -> State:
    """No endpoint yet is no failure; a throttled question is asked again."""
    throttled = "$contains($failure.cause, /Throttling|Rate exceeded/)"
    return {
        "Type": "Choice",
        "Comment": f"Is there no endpoint for {structure.pipeline} yet?",
        "Choices": [
            {"Condition": jsonata("$contains($failure.cause, 'Could not find endpoint')"), "Next": "CreateEndpoint"},
            {
                "Condition": jsonata(f"{throttled} and $endpoint_polls < {max_polls(structure.limits)}"),
                "Next": "WaitForIdleEndpoint",
            },
        ],
        "Default": "ReleaseFailedLease",
    }


def deploy_endpoint(structure: WorkflowStructure) -> State:
    """Update what serves, make again what failed, wait for what is busy."""
    hosts = HOSTS[structure.endpoint]
    busy = "['Creating', 'Updating', 'SystemUpdating', 'RollingBack', 'Deleting']"
    patient = f"$endpoint_polls < {max_polls(structure.limits)}"
    return {
        "Type": "Choice",
        "Comment": f"How can the endpoint of {structure.pipeline} be changed?",
        "Choices": [
            {
                "Condition": jsonata(f"$endpoint_status = 'InService' and $endpoint_hosts != '{hosts}'"),
                "Next": "ExplainOtherKind",
            },
            {"Condition": jsonata("$endpoint_status = 'InService'"), "Next": first_of_update(structure)},
            {"Condition": jsonata(f"$endpoint_status = 'Failed' and {patient}"), "Next": "DeleteFailedEndpoint"},
            {"Condition": jsonata(f"$endpoint_status in {busy} and {patient}"), "Next": "WaitForIdleEndpoint"},
        ],
        "Default": "ExplainUnusableEndpoint",
    }


def wait_for_idle_endpoint(structure: WorkflowStructure) -> State:
    """Somebody else's change of the endpoint is under way, or its deletion."""
    return {
        "Type": "Wait",
        "Comment": f"The endpoint of {structure.pipeline} is busy",
        "Seconds": poll_wait(structure.limits, "$endpoint_polls", quick_seconds=1),
        "Assign": {"endpoint_polls": jsonata("$endpoint_polls + 1")},
        "Next": "InspectEndpoint",
    }


def explain_unusable_endpoint(structure: WorkflowStructure) -> State:
    """The endpoint is in a status that only a person can end; nothing was changed."""
    cause = (
        "'The endpoint ${EndpointName} is ' & $endpoint_status & '; it can be changed when it is InService or Failed. "
        f"Put it right or delete it, then run {structure.pipeline} again.'"
    )
    return {
        "Type": "Pass",
        "Assign": {"failure": {"state": "DeployEndpoint", "error": "EndpointNotUsable", "cause": jsonata(cause)}},
        "Next": "ReleaseFailedLease",
    }


def explain_other_kind(structure: WorkflowStructure) -> State:
    """An update cannot make another kind of an endpoint, and to delete what serves is a person's decision.

    https://docs.aws.amazon.com/sagemaker/latest/dg/serverless-endpoints-update.html
    """
    cause = (
        "'The endpoint ${EndpointName} is of another kind (' & $endpoint_hosts & ') than "
        f"{structure.endpoint}, and SageMaker cannot update the one into the other. Delete the endpoint, which ends "
        f"its answers until the next deployment, then run {structure.pipeline} again.'"
    )
    return {
        "Type": "Pass",
        "Assign": {"failure": {"state": "DeployEndpoint", "error": "EndpointOfOtherKind", "cause": jsonata(cause)}},
        "Next": "ReleaseFailedLease",
    }


def delete_failed_endpoint(structure: WorkflowStructure) -> State:
    """A failed endpoint cannot be updated: it goes first."""
    return {
        "Comment": f"The endpoint of {structure.pipeline} never served",
        **call("aws-sdk:sagemaker:deleteEndpoint", {"EndpointName": "${EndpointName}"}, SAGEMAKER_SDK_ERRORS),
        "Output": {},
        "Catch": catch("DeleteFailedEndpoint", "ReleaseFailedLease"),
        "Next": "WaitForIdleEndpoint",
    }


def create_endpoint(structure: WorkflowStructure) -> State:
    """The first deployment."""
    arguments = {
        "EndpointName": "${EndpointName}",
        "EndpointConfigName": jsonata("$config_name"),
        "Tags": tags(structure),
    }
    return {
        **call("sagemaker:createEndpoint", arguments, SAGEMAKER_ERRORS),
        "Assign": asked(),
        "Output": {"endpointConfig": jsonata("$config_name")},
        "Catch": catch("CreateEndpoint", "RestoreEndpoint"),
        "Next": "WatchEndpoint",
    }


def inspect_alarms(structure: WorkflowStructure) -> State:
    """Those that are on already are about what served before: they would send back even what puts it right.

    "if your old fleet trips the alarm during the deployment, SageMaker terminates your deployment":
    https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-configuration.html
    """
    names = ["${EndpointErrorAlarmName}", "${EndpointLatencyAlarmName}"]
    touched = structure.shadow or structure.autoscaling
    quiet = "[$states.result.MetricAlarms[StateValue != 'ALARM'].{'AlarmName': AlarmName}]"
    return {
        "Comment": f"Which alarms of {structure.pipeline} may send the new model back",
        **call("aws-sdk:cloudwatch:describeAlarms", {"AlarmNames": names}, CLOUDWATCH_ERRORS),
        "Assign": {"guards": jsonata(quiet)},
        "Output": {"guards": jsonata(quiet)},
        "Catch": catch("InspectAlarms", "RestoreEndpoint" if touched else "ReleaseFailedLease"),
        "Next": "UpdateEndpoint",
    }


def update_endpoint(structure: WorkflowStructure) -> State:
    """Blue/green: the old machines serve until the new ones do, and an alarm brings them back.

    Alarms can only where the variants keep their names; else, as on AWS, the traffic moves all at once.
    https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-exclusions.html
    """
    named = {"EndpointName": "${EndpointName}", "EndpointConfigName": jsonata("$config_name")}
    guards = f"$same_variants ? {expression(_guards(structure))} : {{}}"
    # How many machines there are now stays, where their number follows the load.
    kept = ["$scaling.retained"] if structure.autoscaling else []
    optional = ", ".join(([guards] if structure.guarded else []) + kept)
    return {
        "Comment": f"Replace what serves {structure.pipeline}",
        **call(
            "aws-sdk:sagemaker:updateEndpoint",
            with_optional(named, optional) if optional else named,
            SAGEMAKER_SDK_ERRORS,
        ),
        "Assign": asked(),
        "Output": {"endpointConfig": jsonata("$config_name"), "previous": jsonata("$previous_config")},
        "Catch": catch("UpdateEndpoint", "RestoreEndpoint"),
        "Next": "WatchEndpoint",
    }


def asked(config: str = "$config_name") -> dict[str, Any]:
    """What is watched from now on: the configuration that the endpoint was asked for."""
    return {"endpoint_polls": 0, "asked_config": jsonata(config)}


def first_of_update(structure: WorkflowStructure) -> str:
    """The state in which the update of an endpoint that serves begins."""
    return "InspectChampion" if structure.shadow else before_update(structure)


def before_update(structure: WorkflowStructure) -> str:
    """The state in which the traffic's way to the new model begins."""
    if structure.autoscaling:
        return "PrepareScaling"
    return "InspectAlarms" if structure.guarded else "UpdateEndpoint"


def _guards(structure: WorkflowStructure) -> dict[str, Any]:
    policy = {
        "TrafficRoutingConfiguration": jsonata("$plan.deploy.routing"),
        "TerminationWaitInSeconds": TERMINATION_SECONDS,
        "MaximumExecutionTimeoutInSeconds": update_timeout(structure.limits),
    }
    rollback = jsonata("$count($guards) = 0 ? {} : {'Alarms': [$guards]}")
    return {"DeploymentConfig": {"BlueGreenUpdatePolicy": policy, "AutoRollbackConfiguration": rollback}}
