"""What every Task state has: a timeout, bounded retries with back-off and jitter, and a way to the failure path.

Error names: https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
Lambda's transient ones: https://docs.aws.amazon.com/step-functions/latest/dg/sfn-best-practices.html#bp-lambda-serviceexception
"""

from __future__ import annotations

from typing import Any, Final

from modelwright.workflow.expressions import jsonata

State = dict[str, Any]

LAMBDA_INVOKE: Final = "arn:aws:states:::lambda:invoke"
LAMBDA_TIMEOUT_MARGIN_SECONDS: Final = 30  # over the function's own timeout: the function's error is the better one

LAMBDA_ERRORS: Final = [
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.TooManyRequestsException",
]
# The optimized integration names every refusal of the API alike, throttling among them.
SAGEMAKER_ERRORS: Final = ["SageMaker.AmazonSageMakerException", "SageMaker.SdkClientException"]
# aws-sdk:sagemaker:* names what the API's model does not name SageMakerException, throttling among it.
SAGEMAKER_SDK_ERRORS: Final = [
    "SageMaker.SageMakerException",
    "SageMaker.SdkClientException",
    "SageMaker.ResourceLimitExceededException",
    "SageMaker.ConflictException",
]
ECR_ERRORS: Final = ["Ecr.ServerException", "Ecr.EcrException", "Ecr.SdkClientException"]
# https://docs.aws.amazon.com/codebuild/latest/APIReference/API_StartBuild.html (Errors)
CODEBUILD_ERRORS: Final = [
    "CodeBuild.AWSCodeBuildException",
    "CodeBuild.AccountLimitExceededException",
    "CodeBuild.SdkClientException",
]
DYNAMODB_ERRORS: Final = [
    "DynamoDB.AmazonDynamoDBException",
    "DynamoDB.InternalServerErrorException",
    "DynamoDB.ProvisionedThroughputExceededException",
    "DynamoDB.RequestLimitExceededException",
    "DynamoDB.ThrottlingException",
    "DynamoDB.TransactionConflictException",
    "DynamoDB.SdkClientException",
]
CLOUDWATCH_ERRORS: Final = ["CloudWatch.CloudWatchException", "CloudWatch.SdkClientException"]
SNS_ERRORS: Final = [
    "SNS.AmazonSNSException",
    "SNS.InternalErrorException",
    "SNS.KMSThrottlingException",
    "SNS.ThrottledException",
    "SNS.SdkClientException",
]


def retry(errors: list[str]) -> list[dict[str, Any]]:
    """At most three more attempts, 2 s to 18 s apart with full jitter: longer than a throttling window."""
    return [
        {
            "ErrorEquals": errors,
            "IntervalSeconds": 2,
            "MaxAttempts": 3,
            "BackoffRate": 3,
            "MaxDelaySeconds": 60,
            "JitterStrategy": "FULL",
        }
    ]


def failure(state: str) -> dict[str, str]:
    """The variable that the failure path works with. A timeout has no cause."""
    return {
        "state": state,
        "error": jsonata("$exists($states.errorOutput.Error) ? $states.errorOutput.Error : 'States.TaskFailed'"),
        "cause": jsonata("$exists($states.errorOutput.Cause) ? $states.errorOutput.Cause : 'no cause was given'"),
    }


def catch(state: str, next_state: str, **assign: Any) -> list[dict[str, Any]]:
    """Every error of `state` goes to `next_state`, with what is known of it in the variable `failure`."""
    return [
        {
            "ErrorEquals": ["States.ALL"],
            "Assign": {"failure": failure(state), **assign},
            "Output": {},
            "Next": next_state,
        }
    ]


def function(placeholder: str, payload: dict[str, Any], *, timeout_seconds: int) -> State:
    """A Lambda called with `payload`; its answer is `$states.result.Payload`."""
    return {
        "Type": "Task",
        "Resource": LAMBDA_INVOKE,
        "Arguments": {"FunctionName": "${" + placeholder + "}", "Payload": payload},
        "TimeoutSeconds": timeout_seconds + LAMBDA_TIMEOUT_MARGIN_SECONDS,
        "Retry": retry(LAMBDA_ERRORS),
    }


def call(resource: str, arguments: Any, errors: list[str], *, timeout_seconds: Any = 60) -> State:
    """One call of an AWS API."""
    return {
        "Type": "Task",
        "Resource": f"arn:aws:states:::{resource}",
        "Arguments": arguments,
        "TimeoutSeconds": timeout_seconds,
        "Retry": retry(errors),
    }
