"""How many machines an endpoint has follows its load: put aside before an update, set when the new model answers.

https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-auto-scaling.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelwright.workflow.expressions import jsonata
from modelwright.workflow.functions import timeout_of
from modelwright.workflow.tasks import State, catch, function

if TYPE_CHECKING:
    from modelwright.workflow.structure import WorkflowStructure


def prepare_scaling(structure: WorkflowStructure) -> State:
    """Remember how the endpoint scales, and take away what SageMaker would refuse the update for."""
    payload = {"action": "prepare", "kind": structure.endpoint, "variants": jsonata("[$plan.deploy.variants]")}
    return {
        "Comment": f"How {structure.pipeline} scales now",
        **function("ScaleEndpointFunctionArn", payload, timeout_seconds=timeout_of("scale_endpoint")),
        "Assign": {"scaling": jsonata("$states.result.Payload")},
        "Output": jsonata("$states.result.Payload"),
        # Something may have been taken away already: the way back puts it back.
        "Catch": catch("PrepareScaling", "RestoreEndpoint"),
        "Next": "InspectAlarms",
    }


def set_scaling(structure: WorkflowStructure) -> State:
    """From now on the number of machines follows the load, as the release says."""
    payload = {
        "action": "set",
        "kind": structure.endpoint,
        "variants": jsonata("[$plan.deploy.variants]"),
        "autoscaling": jsonata("$plan.deploy.autoscaling"),
    }
    return {
        "Comment": f"Let {structure.pipeline} scale",
        **function("ScaleEndpointFunctionArn", payload, timeout_seconds=timeout_of("scale_endpoint")),
        "Output": jsonata("$states.result.Payload"),
        "Catch": catch("SetScaling", "RestoreEndpoint"),
        "Next": "PromoteModel",
    }
