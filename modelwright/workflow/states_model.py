"""The model and the endpoint's configuration: made anew for each deployment, never changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from modelwright.workflow.expressions import deployment_name, jsonata, name_in_arn, tags, with_optional
from modelwright.workflow.tasks import SAGEMAKER_ERRORS, State, call, catch

if TYPE_CHECKING:
    from modelwright.workflow.structure import WorkflowStructure

VARIANT: Final = "AllTraffic"  # never changes: an update with guardrails wants the same variants


def create_model(structure: WorkflowStructure) -> State:
    """The packaged archive and the image that serves it."""
    arguments = {
        "ModelName": deployment_name(structure),
        "ExecutionRoleArn": "${HostingRoleArn}",
        "PrimaryContainer": {
            "Image": jsonata("$model.image"),
            "ModelDataUrl": jsonata("$model.uri"),
            "Environment": jsonata("$model.environment"),
        },
        "EnableNetworkIsolation": jsonata("$plan.isolated"),
        **structure.vpc_config,
        "Tags": tags(structure),
    }
    return {
        **call("sagemaker:createModel", arguments, SAGEMAKER_ERRORS),
        "Assign": {"model_name": name_in_arn("ModelArn")},
        "Output": {"model": name_in_arn("ModelArn")},
        "Catch": catch("CreateModel", "ReleaseFailedLease"),
        "Next": "CreateEndpointConfig",
    }


def create_endpoint_config(structure: WorkflowStructure) -> State:
    """Which machines serve the model."""
    variant = {
        "VariantName": VARIANT,
        "ModelName": jsonata("$model_name"),
        "InstanceType": jsonata("$plan.deploy.instance"),
        "InitialInstanceCount": jsonata("$plan.deploy.instance_count"),
        "InitialVariantWeight": 1,
    }
    fixed = {
        "EndpointConfigName": deployment_name(structure),
        "ProductionVariants": [variant],
        "Tags": tags(structure),
    }
    return {
        # A key for volumes is refused where disks are encrypted by hardware: `volume_key` is empty there.
        **call("sagemaker:createEndpointConfig", with_optional(fixed, "$plan.deploy.volume_key"), SAGEMAKER_ERRORS),
        "Assign": {"config_name": name_in_arn("EndpointConfigArn")},
        "Output": {"endpointConfig": name_in_arn("EndpointConfigArn")},
        "Catch": catch("CreateEndpointConfig", "ReleaseFailedLease"),
        "Next": "InspectEndpoint",
    }
