"""A new model first in the champion's shadow: it gets copies of the requests, and nobody gets its answers.

https://docs.aws.amazon.com/sagemaker/latest/dg/model-shadow-deployment.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from modelwright.workflow.expressions import jsonata, name_in_arn, shadow_name, tags, with_optional
from modelwright.workflow.functions import timeout_of
from modelwright.workflow.states_endpoint import asked, before_update
from modelwright.workflow.tasks import SAGEMAKER_SDK_ERRORS, State, call, catch, function

if TYPE_CHECKING:
    from modelwright.workflow.structure import WorkflowStructure

# Of a description, what a request takes again; both may be absent. One key is for the volumes of both fleets: none
# where one of them has disks that are encrypted by hardware.
_CHAMPION_KEY: Final = (
    "$exists($states.result.KmsKeyId) and $exists($plan.deploy.volume_key.KmsKeyId) ? "
    "{'KmsKeyId': $states.result.KmsKeyId} : {}"
)
_CHAMPION_CAPTURE: Final = (
    "$exists($states.result.DataCaptureConfig) ? {'DataCaptureConfig': $states.result.DataCaptureConfig} : {}"
)


def inspect_champion(structure: WorkflowStructure) -> State:
    """What the champion is served with: its configuration is made again, with a shadow."""
    request = {"EndpointConfigName": jsonata("$previous_config")}
    return {
        "Comment": f"What serves {structure.pipeline} is served with this",
        **call("aws-sdk:sagemaker:describeEndpointConfig", request, SAGEMAKER_SDK_ERRORS),
        "Assign": {
            "champion": {
                "variants": jsonata("[$states.result.ProductionVariants]"),
                "volume_key": jsonata(_CHAMPION_KEY),
                "capture": jsonata(_CHAMPION_CAPTURE),
            }
        },
        "Output": {"variants": jsonata("[$states.result.ProductionVariants.VariantName]")},
        "Catch": catch("InspectChampion", "ReleaseFailedLease"),
        "Next": "CheckChampion",
    }


def check_champion(structure: WorkflowStructure) -> State:
    """AWS has one variant beside a shadow: https://docs.aws.amazon.com/sagemaker/latest/dg/shadow-tests-create.html."""
    return {
        "Type": "Choice",
        "Comment": f"Can what serves {structure.pipeline} have a shadow?",
        "Choices": [{"Condition": jsonata("$count($champion.variants) = 1"), "Next": "CreateShadowConfig"}],
        "Default": "ExplainNoShadow",
    }


def explain_no_shadow(structure: WorkflowStructure) -> State:
    """The champion has several variants; nothing was changed."""
    cause = (
        f"'What serves {structure.pipeline} has ' & $string($count($champion.variants)) & ' variants, and SageMaker "
        "has shadows beside one only. Deploy once without deploy.shadow.'"
    )
    return {
        "Type": "Pass",
        "Assign": {"failure": {"state": "CheckChampion", "error": "ShadowNotPossible", "cause": jsonata(cause)}},
        "Next": "ReleaseFailedLease",
    }


def create_shadow_config(structure: WorkflowStructure) -> State:
    """The champion's variant as it is, and the new model as its shadow, whose weight is a share of the champion's.

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateEndpointConfig.html (ShadowProductionVariants)
    """
    weight = "$champion.variants[0].InitialVariantWeight * $plan.deploy.shadow.share"
    own = {
        "VariantName": jsonata("$plan.deploy.shadow.variant.VariantName"),
        "ModelName": jsonata("$model_name"),
        "InitialVariantWeight": jsonata(weight),
    }
    fixed = {
        "EndpointConfigName": shadow_name(structure),
        "ProductionVariants": jsonata("[$champion.variants]"),
        "ShadowProductionVariants": [with_optional(own, "$plan.deploy.shadow.variant")],
        "Tags": tags(structure),
    }
    request = with_optional(fixed, "$champion.volume_key, $champion.capture")
    return {
        **call("aws-sdk:sagemaker:createEndpointConfig", request, SAGEMAKER_SDK_ERRORS),
        "Assign": {"shadow_config": name_in_arn("EndpointConfigArn")},
        "Output": {"endpointConfig": name_in_arn("EndpointConfigArn")},
        "Catch": catch("CreateShadowConfig", "ReleaseFailedLease"),
        "Next": "StartShadow",
    }


def start_shadow(structure: WorkflowStructure) -> State:
    """The champion goes on answering. No alarm guards this step: what the shadow does is looked at by itself."""
    request = {"EndpointName": "${EndpointName}", "EndpointConfigName": jsonata("$shadow_config")}
    # The champion keeps as many machines as it has now: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_UpdateEndpoint.html
    kept = {"RetainAllVariantProperties": True} if structure.autoscaling else {}
    return {
        "Comment": f"The new model in the shadow of what serves {structure.pipeline}",
        **call("aws-sdk:sagemaker:updateEndpoint", {**request, **kept}, SAGEMAKER_SDK_ERRORS),
        "Assign": {**asked("$shadow_config"), "shadow_bakes": 0},
        "Output": {"endpointConfig": jsonata("$shadow_config"), "previous": jsonata("$previous_config")},
        "Catch": catch("StartShadow", "RestoreEndpoint"),
        "Next": "WatchEndpoint",
    }


def bake_shadow(structure: WorkflowStructure) -> State:
    """So long the shadow gets copies of the requests. The local cloud shortens states that bake (docs/local.md)."""
    return {
        "Type": "Wait",
        "Comment": f"The new model of {structure.pipeline} gets copies of the requests",
        "Seconds": jsonata("$plan.deploy.shadow.seconds"),
        "Assign": {
            "baked_from": jsonata("$states.context.State.EnteredTime"),
            "shadow_bakes": jsonata("$shadow_bakes + 1"),
        },
        "Next": "JudgeShadow",
    }


def judge_shadow(structure: WorkflowStructure) -> State:
    """What the shadow did with the copies: errors and latency."""
    payload = {
        "since": jsonata("$baked_from"),
        "variant": jsonata("$plan.deploy.shadow.variant.VariantName"),
        "champion": jsonata("$champion.variants[0].VariantName"),
    }
    return {
        "Comment": f"How did the new model of {structure.pipeline} do in the shadow?",
        **function("JudgeShadowFunctionArn", payload, timeout_seconds=timeout_of("judge_shadow")),
        "Assign": {"shadowed": jsonata("$states.result.Payload")},
        "Output": jsonata("$states.result.Payload"),
        "Catch": catch("JudgeShadow", "RestoreEndpoint"),
        "Next": "CheckShadow",
    }


def check_shadow(structure: WorkflowStructure) -> State:
    """A model that was bad in the shadow gets no traffic."""
    return {
        "Type": "Choice",
        "Comment": f"May the new model of {structure.pipeline} answer?",
        "Choices": [{"Condition": jsonata("$shadowed.good"), "Next": before_update(structure)}],
        "Default": "ExplainShadow",
    }


def explain_shadow(structure: WorkflowStructure) -> State:
    """Why the new model was sent back; its shadow is removed by the way back."""
    return {
        "Type": "Pass",
        "Comment": f"The new model of {structure.pipeline} was bad in the shadow",
        "Assign": {
            "failure": {"state": "JudgeShadow", "error": "RolledBack", "cause": jsonata("$shadowed.reason")},
        },
        "Next": "RestoreEndpoint",
    }
