"""From a trained model to a package in the registry, and what the gate says about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from modelwright.workflow.expressions import jsonata
from modelwright.workflow.functions import timeout_of
from modelwright.workflow.tasks import SAGEMAKER_SDK_ERRORS, State, call, catch, function

if TYPE_CHECKING:
    from modelwright.workflow.structure import WorkflowStructure

EVALUATION_URI: Final = "$plan.run.prefix & 'evaluation/evaluation.json'"


RESULT: Final = "$states.result.Payload"
MULTI_MODEL: Final = ("folder", "names")
"""What of several models the endpoint is given: the prefix of their archives, and their names."""


def record_metrics(structure: WorkflowStructure) -> State:
    """Take the evaluation's metrics into the table and into CloudWatch."""
    payload = {"run": jsonata("$plan.run.id"), "evaluation_uri": jsonata(EVALUATION_URI)}
    return {
        "Comment": f"Metrics of {structure.pipeline} over time",
        **function("RecordMetricsFunctionArn", payload, timeout_seconds=timeout_of("record_metrics")),
        "Assign": {"metrics": jsonata("$states.result.Payload.metrics")},
        "Output": {"metrics": jsonata("$states.result.Payload.metrics")},
        "Catch": catch("RecordMetrics", "MarkRunFailed"),
        "Next": "CheckQualityGate",
    }


def check_quality_gate(structure: WorkflowStructure) -> State:
    """Decide whether this model is good enough to serve."""
    payload = {"gate": jsonata("[$plan.gate]"), "metrics": jsonata("$metrics")}
    return {
        "Comment": f"Compare with the numbers and the champion of {structure.pipeline}",
        **function("CheckQualityGateFunctionArn", payload, timeout_seconds=timeout_of("check_quality_gate")),
        "Assign": {
            "passed": jsonata("$states.result.Payload.passed"),
            "gate": jsonata("[$states.result.Payload.clauses]"),
        },
        "Output": {
            "passed": jsonata("$states.result.Payload.passed"),
            "gate": jsonata("[$states.result.Payload.clauses]"),
        },
        "Catch": catch("CheckQualityGate", "MarkRunFailed"),
        "Next": "PackageModel",
    }


def package_model(structure: WorkflowStructure) -> State:
    """Put the code into the model's archive: a package of the registry cannot name another source."""
    several = structure.endpoint == "multi-model"
    payload = {
        "model_uri": jsonata("$trained.model_uri"),
        "code_uri": jsonata("$plan.run.code.uri"),
        **({"several": True, "run": jsonata("$plan.run.id")} if several else {}),
    }
    return {
        "Comment": f"The registry's model of {structure.pipeline} serves by itself",
        **function("PackageModelFunctionArn", payload, timeout_seconds=timeout_of("package_model")),
        "Assign": {
            "model": {
                **served_model("framework", jsonata("$plan.deploy.image"), by_hash=not several),
                "python_sha256": jsonata("$states.result.Payload.sha256"),
                "reason": "",
                **({name: jsonata(f"$states.result.Payload.{name}") for name in MULTI_MODEL} if several else {}),
            }
        },
        "Output": jsonata("$states.result.Payload"),
        "Catch": catch("PackageModel", "MarkRunFailed"),
        "Next": _after_packaging(structure),
    }


def _after_packaging(structure: WorkflowStructure) -> str:
    if structure.compiled:
        return "DecideCompilation"
    return "DecideServing" if structure.script_image else "RegisterModel"


def served_model(serve: str, image: str, *, by_hash: bool = True, of: str = RESULT) -> dict[str, Any]:
    """The archive in a function's answer (`of`), the image that serves it, and what its container reads.

    `by_hash`: no other archive may be served, so there is only one. On AWS it is unpacked before our server sees it:
    that compares the files. They are no one's business where no script runs: the hash is empty there.

    https://docs.aws.amazon.com/sagemaker/latest/dg/adapt-inference-container.html
    AWS's own image leaves our variables alone; our server without a script leaves SageMaker's.
    """
    sha256, files_sha256 = jsonata(f"{of}.sha256"), jsonata(f"{of}.files_sha256")
    environment = {
        "SAGEMAKER_PROGRAM": "inference.py",
        "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
        "SAGEMAKER_CONTAINER_LOG_LEVEL": "20",
        "MODELWRIGHT_SERVE": serve,
        **({"MODELWRIGHT_MODEL_SHA256": sha256, "MODELWRIGHT_FILES_SHA256": files_sha256} if by_hash else {}),
    }
    hashes = {"sha256": sha256, "files_sha256": files_sha256}
    return {"uri": jsonata(f"{of}.uri"), **hashes, "serve": serve, "image": image, "environment": environment}


def _package() -> dict[str, Any]:
    types = jsonata("[$plan.deploy.content_types]")
    container = {
        "Image": jsonata("$model.image"),
        "ModelDataUrl": jsonata("$model.uri"),
        "Environment": jsonata("$model.environment"),
    }
    return {
        "ModelPackageGroupName": "${ModelPackageGroupName}",
        "ModelPackageDescription": jsonata("'Run ' & $plan.run.id & ' of release ' & $plan.run.release"),
        "ModelApprovalStatus": jsonata("$passed ? 'PendingManualApproval' : 'Rejected'"),
        "InferenceSpecification": {
            "Containers": [container],
            "SupportedContentTypes": types,
            "SupportedResponseMIMETypes": types,
        },
        "ModelMetrics": {
            "ModelQuality": {"Statistics": {"ContentType": "application/json", "S3Uri": jsonata(EVALUATION_URI)}}
        },
        "CustomerMetadataProperties": {
            "release": jsonata("$plan.run.release"),
            "commit": jsonata("$plan.run.commit"),
            "run": jsonata("$plan.run.id"),
            "dataHash": jsonata("$plan.run.data.sha256"),
            "modelHash": jsonata("$model.sha256"),
            "pythonHash": jsonata("$model.python_sha256"),
            "serve": jsonata("$model.serve"),
        },
        "ClientToken": jsonata("$plan.run.id"),
    }


def register_model(structure: WorkflowStructure) -> State:
    """Register the package: pending until promoted, or rejected. The token makes a second attempt the same package."""
    return {
        "Comment": f"A version in the package group of {structure.pipeline}",
        **call("aws-sdk:sagemaker:createModelPackage", _package(), SAGEMAKER_SDK_ERRORS),
        "Assign": {"package_arn": jsonata("$states.result.ModelPackageArn")},
        "Output": {"modelPackageArn": jsonata("$states.result.ModelPackageArn")},
        "Catch": catch("RegisterModel", "MarkRunFailed"),
        "Next": "DecideDeployment",
    }


def decide_deployment(structure: WorkflowStructure) -> State:
    """A model that missed the gate is not deployed; nor is one whose pipeline has no endpoint."""
    return {
        "Type": "Choice",
        "Comment": f"Did the model of {structure.pipeline} pass its gate?",
        "Choices": [{"Condition": jsonata("$not($passed)"), "Next": "MarkRunRejected"}],
        "Default": "MarkRunRegistered" if structure.endpoint == "none" else "AcquireDeployment",
    }
