"""The model and the endpoint's configuration: made anew for each deployment, never changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from modelwright.workflow.expressions import deployment_name, expression, jsonata, name_in_arn, tags, with_optional
from modelwright.workflow.tasks import SAGEMAKER_ERRORS, SAGEMAKER_SDK_ERRORS, State, call, catch

if TYPE_CHECKING:
    from modelwright.workflow.structure import WorkflowStructure

LATER_SECONDS: Final = "3600"
LATER_BYTES: Final = str(1 << 30)
VARIANT: Final = "AllTraffic"
"""Of an endpoint that has one; never changes: an update with guardrails wants the same variants."""


def create_model(structure: WorkflowStructure) -> State:
    """The packaged archive and the image that serves it; or, of several models, the folder of their archives.

    https://docs.aws.amazon.com/sagemaker/latest/dg/create-multi-model-endpoint.html
    """
    arguments = {
        "ModelName": deployment_name(structure),
        "ExecutionRoleArn": "${HostingRoleArn}",
        "PrimaryContainer": {
            "Image": jsonata("$model.image"),
            "Environment": _environment(structure),
            **_model_data(structure),
        },
        "EnableNetworkIsolation": jsonata("$plan.deploy.isolated"),
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
    """What serves the model: machines or a serverless size, what is captured, where answers go.

    By the SDK integration: the optimized one does not know what came after 2019.
    """
    model = "function($variant) { $merge([$variant, {'ModelName': $model_name}]) }"
    fixed = {
        "EndpointConfigName": deployment_name(structure),
        "ProductionVariants": jsonata(f"[$map($plan.deploy.variants, {model})]"),
        **_capture(structure),
        **_asynchronous(structure),
        "Tags": tags(structure),
    }
    # A key for volumes is refused where disks are encrypted by hardware: `volume_key` is empty there.
    request = with_optional(fixed, "$plan.deploy.volume_key")
    return {
        **call("aws-sdk:sagemaker:createEndpointConfig", request, SAGEMAKER_SDK_ERRORS),
        "Assign": {"config_name": name_in_arn("EndpointConfigArn")},
        "Output": {"endpointConfig": name_in_arn("EndpointConfigArn")},
        "Catch": catch("CreateEndpointConfig", "ReleaseFailedLease"),
        "Next": "InspectEndpoint",
    }


def _environment(structure: WorkflowStructure) -> str:
    more = {**_script_of_several(structure), **_limits_of_later(structure)}
    return jsonata(f"$merge([$model.environment, {expression(more)}])" if more else "$model.environment")


def _limits_of_later(structure: WorkflowStructure) -> dict[str, str]:
    """Behind a queue a request may take an hour and have a gigabyte; servers end one after 60 s unless told otherwise.

    https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference.html; the first name is read by AWS's images
    (https://github.com/aws/sagemaker-containers), the others by our own server.
    """
    if structure.endpoint != "async":
        return {}
    return {
        "SAGEMAKER_MODEL_SERVER_TIMEOUT": LATER_SECONDS,
        "MODELWRIGHT_REQUEST_TIMEOUT_SECONDS": LATER_SECONDS,
        "MODELWRIGHT_MAX_BODY_BYTES": LATER_BYTES,
    }


def _script_of_several(structure: WorkflowStructure) -> dict[str, str]:
    """AWS's image imports one script for all models when it starts; what lies in their archives it does not read.

    https://github.com/aws/sagemaker-scikit-learn-container/blob/master/src/sagemaker_sklearn_container/serving_mms.py
    It fetches it in AWS_REGION, else in SAGEMAKER_REGION, which AWS's SDK gives with it; without one in us-east-1.
    https://github.com/aws/sagemaker-containers/blob/master/src/sagemaker_containers/_files.py
    """
    if structure.endpoint != "multi-model":
        return {}
    region = "$split($states.context.Execution.Id, ':')[3]"
    return {"SAGEMAKER_SUBMIT_DIRECTORY": jsonata("$plan.run.code.uri"), "SAGEMAKER_REGION": jsonata(region)}


def _model_data(structure: WorkflowStructure) -> dict[str, Any]:
    if structure.endpoint == "multi-model":
        return {"Mode": "MultiModel", "ModelDataUrl": jsonata("$model.folder")}
    return {"ModelDataUrl": jsonata("$model.uri")}


def _capture(structure: WorkflowStructure) -> dict[str, Any]:
    """Whatever is no CSV or JSON is captured in base64.

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DataCaptureConfig.html
    """
    if not structure.capture:
        return {}
    wanted = {
        "EnableCapture": True,
        "InitialSamplingPercentage": jsonata("$plan.deploy.capture.percent"),
        "DestinationS3Uri": jsonata("$plan.deploy.capture.uri"),
        **structure.output_key,
        "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
        "CaptureContentTypeHeader": {"CsvContentTypes": ["text/csv"], "JsonContentTypes": ["application/json"]},
    }
    return {"DataCaptureConfig": wanted}


def _asynchronous(structure: WorkflowStructure) -> dict[str, Any]:
    """Both topics are one: what arrives there says itself whether it went well.

    https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference-check-predictions.html
    """
    if structure.endpoint != "async":
        return {}
    topic = "${AnswersTopicArn}"
    wanted = {
        "ClientConfig": {
            "MaxConcurrentInvocationsPerInstance": jsonata("$plan.deploy.async.concurrent_per_instance"),
        },
        "OutputConfig": {
            "S3OutputPath": jsonata("$plan.deploy.async.output"),
            "S3FailurePath": jsonata("$plan.deploy.async.failure"),
            **structure.output_key,
            "NotificationConfig": {"SuccessTopic": topic, "ErrorTopic": topic},
        },
    }
    return {"AsyncInferenceConfig": wanted}
