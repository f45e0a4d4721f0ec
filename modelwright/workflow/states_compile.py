"""From the packaged model to the one that is served: compiled, when it then answers the same; else by its script.

Whatever goes wrong on the way to a compiled model leads to `ChooseModel`, which decides by `deploy.serve` whether the
script may serve, and in whose image. Where the script in our image is an order, there is nothing to choose.
docs/adr/0015-compiled-deployments.md, docs/adr/0020-scripts-from-our-own-image.md
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from modelwright.workflow.expressions import expression, job_name, jsonata, tags
from modelwright.workflow.functions import timeout_of
from modelwright.workflow.serving_image import CONVERTED_FRAMEWORKS, image_tags, repository_name, targets
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
_TAGS: Final = image_tags("${ServingImageHash}", "$plan.convert.framework")
_IMAGE: Final = "'${ServingImageRepository}:' & "


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


def decide_serving(structure: WorkflowStructure) -> State:
    """The script in our image, but for a model that missed its gate: nobody needs an image for it."""
    model = {
        **served_model("python", jsonata(_IMAGE + _TAGS["python"]), of="$model"),
        "python_sha256": jsonata("$model.python_sha256"),
        "reason": "",
    }
    return {
        "Type": "Choice",
        "Comment": f"Will the model of {structure.pipeline} be served?",
        "Choices": [{"Condition": jsonata("$not($passed)"), "Next": "RegisterModel"}],
        "Assign": {"model": model},
        "Default": "FindServingImage",
    }


def find_serving_image(structure: WorkflowStructure) -> State:
    """Are all of our images there, of this content? ECR has an error for one that is not."""
    wanted = targets(compiled=structure.compiled)
    arguments = {
        "RepositoryName": repository_name(structure.environment),
        "ImageIds": [{"ImageTag": jsonata(_TAGS[target])} for target in wanted],
    }
    absent = {"ErrorEquals": ["Ecr.ImageNotFoundException"], "Output": {}, "Next": "BuildServingImage"}
    return {
        "Comment": f"What compiles and serves the model of {structure.pipeline}",
        **call("aws-sdk:ecr:describeImages", arguments, ECR_ERRORS),
        "Output": {"images": jsonata("$count($states.result.ImageDetails)")},
        "Catch": [absent, *_without_image(structure, "FindServingImage")],
        "Next": _with_image(structure),
    }


def build_serving_image(structure: WorkflowStructure) -> State:
    """Build them in CodeBuild, once for each content: https://docs.aws.amazon.com/step-functions/latest/dg/connect-codebuild.html.

    A deploy while the run goes on changes the project, and leaves an execution its definition: a build says so then.
    https://docs.aws.amazon.com/step-functions/latest/apireference/API_UpdateStateMachine.html
    """
    wanted = {
        "FRAMEWORK": jsonata("$plan.convert.framework"),
        "WANTED_HASH": "${ServingImageHash}",
        "TARGETS": " ".join(targets(compiled=structure.compiled)),
    }
    told = [{"Name": name, "Value": value, "Type": "PLAINTEXT"} for name, value in wanted.items()]
    arguments = {"ProjectName": "${ServingImageProject}", "EnvironmentVariablesOverride": told}
    return {
        "Comment": f"The images of {structure.pipeline} for this content are built once",
        **call("codebuild:startBuild.sync", arguments, CODEBUILD_ERRORS, timeout_seconds=BUILD_TIMEOUT_SECONDS),
        "Output": {"build": jsonata("$states.result.Build.Id")},
        "Catch": _without_image(structure, "BuildServingImage"),
        "Next": _with_image(structure),
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
    image = _IMAGE + _TAGS["convert"]
    return {
        "ProcessingJobName": job_name(structure, CONVERT_STEP),
        "RoleArn": "${ProcessingRoleArn}",
        "AppSpecification": {
            "ImageUri": jsonata(image),
            "ContainerEntrypoint": ["python3", "-m", "modelwright.serving.compiled.compile_job"],
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
        "files_sha256": jsonata("$model.files_sha256"),
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
    """The variable `model` anew: the compiled archive or the packaged one, and the image that serves it."""
    result = "$states.result.Payload"
    script = f"{result}.serve = 'python' ? {_IMAGE}{_TAGS['python']} : $plan.deploy.image"
    image = f"{result}.serve = 'onnx' ? {_IMAGE}{_TAGS['serve']} : {script}"
    return {
        **served_model(jsonata(f"{result}.serve"), jsonata(image)),
        "python_sha256": jsonata(f"{result}.python_sha256"),
        "reason": jsonata(f"{result}.reason"),
    }


def _with_image(structure: WorkflowStructure) -> str:
    return "ConvertModel" if structure.compiled else "RegisterModel"


def _without_image(structure: WorkflowStructure, state: str) -> list[dict[str, Any]]:
    """An error where our image is an order, a reason otherwise."""
    return _otherwise(state, "ChooseModel") if structure.compiled else catch(state, "MarkRunFailed")


def _otherwise(state: str, next_state: str) -> list[dict[str, Any]]:
    """Every error of `state` is a reason not to compile."""
    return catch(state, next_state, not_compiled=True)
