"""From the packaged model to the one that is served: compiled, when it then answers the same.

Whatever goes wrong on the way leads to `ChooseModel`, which decides by `deploy.serve` whether the script may serve.
docs/adr/0015-compiled-deployments.md
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from modelwright.workflow.expressions import expression, job_name, jsonata, tags
from modelwright.workflow.functions import timeout_of
from modelwright.workflow.serving_image import CONVERTED_FRAMEWORKS, repository_name
from modelwright.workflow.states_gate import served_model
from modelwright.workflow.states_jobs import PROCESSING_ROOT, job_input, job_output, machines
from modelwright.workflow.tasks import (
    CODEBUILD_ERRORS,
    ECR_ERRORS,
    SAGEMAKER_ERRORS,
    State,
    call,
    catch,
    function,
)

if TYPE_CHECKING:
    from modelwright.workflow.structure import WorkflowStructure

CONVERT_STEP: Final = "convert"
BUILD_TIMEOUT_SECONDS: Final = 3600  # waiting in CodeBuild's queue, and the build: `stacks/constructs/serving_image.py`
MAX_CAUSE: Final = 30_000  # what a function is told of a cause
NO_PROBLEM: Final = {"state": "", "error": "", "cause": ""}
_SERVE_TAG: Final = "'serve-${ServingImageHash}'"
_CONVERT_TAG: Final = "'convert-${ServingImageHash}-sklearn-' & $plan.convert.framework"


def decide_compilation(structure: WorkflowStructure) -> State:
    """A model that missed its gate is never served; a framework's version may be too old to be converted."""
    known = f"$plan.convert.framework in {json.dumps(list(CONVERTED_FRAMEWORKS))}"
    allowed = " or ".join(CONVERTED_FRAMEWORKS)
    too_old = f"'not convertible: a model of scikit-learn ' & $plan.convert.framework & '; it must be of {allowed}.'"
    return {
        "Type": "Choice",
        "Comment": f"Can the model of {structure.pipeline} be compiled?",
        "Choices": [
            {"Condition": jsonata("$not($passed)"), "Next": "RegisterModel"},
            {
                "Condition": jsonata(f"$not({known})"),
                "Assign": {"failure": {**NO_PROBLEM, "cause": jsonata(too_old)}, "not_compiled": True},
                "Next": "ChooseModel",
            },
        ],
        "Assign": {"not_compiled": False},
        "Default": "FindServingImage",
    }


def find_serving_image(structure: WorkflowStructure) -> State:
    """Are both of our images there, of this content? ECR has an error for one that is not."""
    arguments = {
        "RepositoryName": repository_name(structure.environment),
        "ImageIds": [{"ImageTag": jsonata(_SERVE_TAG)}, {"ImageTag": jsonata(_CONVERT_TAG)}],
    }
    absent = {"ErrorEquals": ["Ecr.ImageNotFoundException"], "Output": {}, "Next": "BuildServingImage"}
    return {
        "Comment": f"What compiles and serves the model of {structure.pipeline}",
        **call("aws-sdk:ecr:describeImages", arguments, ECR_ERRORS),
        "Output": {"images": jsonata("$count($states.result.ImageDetails)")},
        "Catch": [absent, *_otherwise("FindServingImage", "ChooseModel")],
        "Next": "ConvertModel",
    }


def build_serving_image(structure: WorkflowStructure) -> State:
    """Build them in CodeBuild, once for each content: https://docs.aws.amazon.com/step-functions/latest/dg/connect-codebuild.html."""
    framework = {"Name": "FRAMEWORK", "Value": jsonata("$plan.convert.framework"), "Type": "PLAINTEXT"}
    arguments = {"ProjectName": "${ServingImageProject}", "EnvironmentVariablesOverride": [framework]}
    return {
        "Comment": f"The images of {structure.pipeline} for this content are built once",
        **call("codebuild:startBuild.sync", arguments, CODEBUILD_ERRORS, timeout_seconds=BUILD_TIMEOUT_SECONDS),
        "Output": {"build": jsonata("$states.result.Build.Id")},
        "Catch": _otherwise("BuildServingImage", "ChooseModel"),
        "Next": "ConvertModel",
    }


def convert_model(structure: WorkflowStructure) -> State:
    """Convert the packaged model, and compare what both answer on the hold-out."""
    timeout = jsonata("$plan.convert.timeout_seconds")
    arguments = _conversion_job(structure)
    return {
        **call("sagemaker:createProcessingJob.sync", arguments, SAGEMAKER_ERRORS, timeout_seconds=timeout),
        "Assign": {"not_compiled": False},  # an attempt before it may have got no machine
        "Output": {
            "job": jsonata("$states.result.ProcessingJobName"),
            "report": jsonata("$plan.run.prefix & 'compiled/report.json'"),
        },
        "Catch": _otherwise("ConvertModel", "CheckCapacity"),
        "Next": "ChooseModel",
    }


def _conversion_job(structure: WorkflowStructure) -> dict[str, Any]:
    image = "'${ServingImageRepository}:' & " + _CONVERT_TAG
    return {
        "ProcessingJobName": job_name(structure, CONVERT_STEP),
        "RoleArn": "${ProcessingRoleArn}",
        "AppSpecification": {
            "ImageUri": jsonata(image),
            "ContainerEntrypoint": ["python3", "-m", "modelwright.serving.compile_job"],
        },
        "Environment": {
            "MODELWRIGHT_MODEL_SHA256": jsonata("$model.sha256"),
            "SAGEMAKER_PROGRAM": "inference.py",
        },
        "ProcessingInputs": [
            job_input("model", jsonata("$model.uri"), f"{PROCESSING_ROOT}/model"),
            job_input("train", jsonata("$plan.run.prefix & 'train/'"), f"{PROCESSING_ROOT}/train"),
            job_input("test", jsonata("$plan.run.prefix & 'test/'"), f"{PROCESSING_ROOT}/test"),
        ],
        "ProcessingOutputConfig": {"Outputs": [job_output("compiled")], **structure.output_key},
        "ProcessingResources": {"ClusterConfig": machines(CONVERT_STEP)},
        "NetworkConfig": {"EnableNetworkIsolation": jsonata("$plan.isolated"), **structure.vpc_config},
        "StoppingCondition": {"MaxRuntimeInSeconds": jsonata("$plan.convert.max_runtime_seconds")},
        "Tags": tags(structure),
    }


def choose_model(structure: WorkflowStructure) -> State:
    """The compiled model under its hash, or the packaged one with the reason; with `serve: onnx` that is an error."""
    cut = {
        **{name: jsonata(f"$failure.{name}") for name in ("state", "error")},
        "cause": jsonata(f"$substring($failure.cause, 0, {MAX_CAUSE})"),
    }
    payload = {
        "run": jsonata("$plan.run.id"),
        "prefix": jsonata("$plan.run.prefix"),
        "sha256": jsonata("$model.sha256"),
        "serve": jsonata("$plan.deploy.serve"),
        "problem": jsonata(f"$not_compiled ? {expression(cut)} : {expression(NO_PROBLEM)}"),
    }
    return {
        "Comment": f"What serves {structure.pipeline}",
        **function("ChooseModelFunctionArn", payload, timeout_seconds=timeout_of("choose_model")),
        "Assign": {"model": _chosen()},
        "Output": jsonata("$states.result.Payload"),
        "Catch": catch("ChooseModel", "MarkRunFailed"),
        "Next": "RegisterModel",
    }


def _chosen() -> dict[str, Any]:
    """The variable `model` anew: the compiled archive and our image, or the packaged one and the framework's."""
    result = "$states.result.Payload"
    image = f"{result}.serve = 'onnx' ? '${{ServingImageRepository}}:' & {_SERVE_TAG} : $plan.deploy.image"
    return {
        **served_model(jsonata(f"{result}.serve"), jsonata(image)),
        "python_sha256": jsonata(f"{result}.python_sha256"),
        "reason": jsonata(f"{result}.reason"),
    }


def _otherwise(state: str, next_state: str) -> list[dict[str, Any]]:
    """Every error of `state` is a reason not to compile."""
    return catch(state, next_state, not_compiled=True)
