"""What a task's error is called when the called service refuses: Step Functions' names, not boto's.

Optimized integrations name the exceptions of AWS's SDK for Java 1 (`SageMaker.AmazonSageMakerException`), AWS SDK
integrations those of version 2 (`SageMaker.SageMakerException`):
https://docs.aws.amazon.com/step-functions/latest/dg/supported-services-awssdk.html
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from botocore.exceptions import ClientError
    from botocore.model import ServiceModel

# prefix, the name of an error that the service's model does not have, the service in the cause
_OPTIMIZED: Final = {
    "sagemaker": ("SageMaker", "AmazonSageMakerException", "AmazonSageMaker"),
    "codebuild": ("CodeBuild", "AWSCodeBuildException", "AWSCodeBuild"),
    "lambda": ("Lambda", "AWSLambdaException", "AWSLambda"),
    "dynamodb": ("DynamoDB", "AmazonDynamoDBException", "AmazonDynamoDBv2"),
    "sns": ("SNS", "AmazonSNSException", "AmazonSNS"),
    "sqs": ("SQS", "AmazonSQSException", "AmazonSQS"),
    "events": ("EventBridge", "AmazonEventBridgeException", "AmazonEventBridge"),
    "states": ("StepFunctions", "AWSStepFunctionsException", "AWSStepFunctions"),
}
OPTIMIZED_SERVICES: Final = frozenset(_OPTIMIZED)


def optimized(service: str, error: ClientError, model: ServiceModel) -> tuple[str, str]:
    """Give error name and cause of a refusal to an optimized integration.

    A SageMaker API's refusal of whatever kind is `SageMaker.AmazonSageMakerException`
    (https://docs.aws.amazon.com/step-functions/latest/dg/connect-sagemaker.html).
    """
    prefix, general, name = _OPTIMIZED[service]
    code = error.response["Error"].get("Code", "")
    modelled = None if service == "sagemaker" else _modelled(code, model)
    meta = error.response.get("ResponseMetadata", {})
    message, status = error.response["Error"].get("Message", ""), meta.get("HTTPStatusCode", 400)
    cause = (
        f"{message} (Service: {name}; Status Code: {status}; Error Code: {code}; "
        f"Request ID: {meta.get('RequestId', '')}; Proxy: null)"
    )
    return f"{prefix}.{modelled or general}", cause


def general(service: str) -> str:
    """Give the name of a refusal that the service's model has no name for."""
    prefix, name, _ = _OPTIMIZED[service]
    return f"{prefix}.{name}"


def client_side(service: str) -> str:
    """Give the name of a call that did not get to the service."""
    return f"{_OPTIMIZED[service][0]}.SdkClientException"


def sdk(error: ClientError, model: ServiceModel) -> tuple[str, str]:
    """Give error name and cause of a refusal to an AWS SDK integration."""
    prefix = sdk_prefix(model.service_id)
    modelled = _modelled(error.response["Error"].get("Code", ""), model)
    meta = error.response.get("ResponseMetadata", {})
    cause = (
        f"{error.response['Error'].get('Message', '')} (Service: {prefix}, Status Code: "
        f"{meta.get('HTTPStatusCode', 400)}, Request ID: {meta.get('RequestId', '')})"
    )
    return f"{prefix}.{modelled or prefix + 'Exception'}", cause


def sdk_prefix(service_id: Any) -> str:
    """Give the SDK's name of a service: `DynamoDB` -> `DynamoDb`, `SFN` -> `Sfn`, `SageMaker Runtime` in one word."""
    words = re.findall(
        r"[A-Z]{2,}(?![a-z])[0-9]*|[A-Z]?[a-z]+[0-9]*|[A-Z][0-9]*", re.sub(r"[^A-Za-z0-9]+", " ", str(service_id))
    )
    return "".join(word[:1].upper() + word[1:].lower() for word in words)


def _modelled(code: str, model: ServiceModel) -> str | None:
    """Give the exception class of an error code when the service's model has it."""
    for shape in model.error_shapes:
        if code in (shape.name, shape.error_code):
            name = shape.name.removesuffix("Error") if shape.name.endswith("ExceptionError") else shape.name
            return name if name.endswith("Exception") else f"{name}Exception"
    return None
