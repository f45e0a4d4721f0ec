"""Tasks of the other services: inputs, outputs and the names of their errors."""

import io
import json
from datetime import UTC, datetime
from typing import ClassVar

import pytest
from botocore.response import StreamingBody

from modelwright.local.stepfunctions import run as run_module
from modelwright.local.stepfunctions.runtime import Runtime

LAMBDA = "arn:aws:states:::lambda:invoke"


def task(resource, arguments, **more):
    return {"Type": "Task", "Resource": resource, "Arguments": arguments, **more}


def payload(value):
    raw = json.dumps(value).encode()
    return StreamingBody(io.BytesIO(raw), len(raw))


def test_lambda_gives_the_functions_answer(states, cloud):
    cloud.api("lambda").answers["invoke"] = lambda **_: {"StatusCode": 200, "Payload": payload({"a": [1, 'q"\\']})}
    found = states.run_state(task(LAMBDA, {"FunctionName": "f", "Payload": {"x": "{% $states.input %}"}}), 'in "it"')
    assert found["output"]["Payload"] == {"a": [1, 'q"\\']}
    assert found["output"]["StatusCode"] == 200
    (request,) = cloud.api("lambda").requests("invoke")
    assert json.loads(request["Payload"]) == {"x": 'in "it"'}


def test_a_functions_error_has_its_type_as_name_and_its_json_as_cause(states, cloud):
    error = {"errorType": "ReleaseNotFound", "errorMessage": 'no "r"', "stackTrace": []}
    cloud.api("lambda").answers["invoke"] = lambda **_: {
        "StatusCode": 200,
        "FunctionError": "Unhandled",
        "Payload": payload(error),
    }
    catch = [
        {
            "ErrorEquals": ["ReleaseNotFound"],
            "Output": "{% $parse($states.errorOutput.Cause).errorMessage %}",
            "Next": "C",
        }
    ]
    found = states.run_state(task(LAMBDA, {"FunctionName": "f"}, Catch=catch), None, C={"Type": "Pass", "End": True})
    assert found["output"] == 'no "r"'


def test_a_function_as_resource_has_its_own_events(states, cloud):
    arn = "arn:aws:lambda:eu-central-1:123456789012:function:f"
    cloud.api("lambda").answers["invoke"] = lambda **_: {"StatusCode": 200, "Payload": payload(None)}
    state = task(arn, {"a": 1}, Output="{% [$states.result] %}")
    found = states.run_state(state)
    assert found["output"] == [None]
    assert "LambdaFunctionSucceeded" in states.types(found["executionArn"])


# https://docs.aws.amazon.com/step-functions/latest/dg/sfn-best-practices.html#bp-lambda-serviceexception and the
# pages of each integration; names of the SDK for Java 1 (optimized) and 2 (aws-sdk)
@pytest.mark.parametrize(
    ("resource", "arguments", "code", "name"),
    [
        (LAMBDA, {"FunctionName": "f"}, "ResourceNotFoundException", "Lambda.ResourceNotFoundException"),
        (LAMBDA, {"FunctionName": "f"}, "TooManyRequestsException", "Lambda.TooManyRequestsException"),
        (LAMBDA, {"FunctionName": "f"}, "ServiceException", "Lambda.ServiceException"),
        (LAMBDA, {"FunctionName": "f"}, "AccessDeniedException", "Lambda.AWSLambdaException"),
        (
            "arn:aws:states:::dynamodb:putItem",
            {"TableName": "t", "Item": {}},
            "ConditionalCheckFailedException",
            "DynamoDB.ConditionalCheckFailedException",
        ),
        (
            "arn:aws:states:::dynamodb:putItem",
            {"TableName": "t", "Item": {}},
            "AccessDeniedException",
            "DynamoDB.AmazonDynamoDBException",
        ),
        (
            "arn:aws:states:::dynamodb:putItem",
            {"TableName": "t", "Item": {}},
            "ValidationException",
            "DynamoDB.AmazonDynamoDBException",
        ),
        (
            "arn:aws:states:::sns:publish",
            {"TopicArn": "t", "Message": "m"},
            "AuthorizationError",
            "SNS.AuthorizationErrorException",
        ),
        ("arn:aws:states:::sns:publish", {"TopicArn": "t", "Message": "m"}, "NotFound", "SNS.NotFoundException"),
        (
            "arn:aws:states:::sqs:sendMessage",
            {"QueueUrl": "q", "MessageBody": "b"},
            "AccessDenied",
            "SQS.AmazonSQSException",
        ),
        (
            "arn:aws:states:::aws-sdk:sagemaker:updateEndpoint",
            {"EndpointName": "e", "EndpointConfigName": "c"},
            "ValidationException",
            "SageMaker.SageMakerException",
        ),
        (
            "arn:aws:states:::aws-sdk:sagemaker:updateEndpoint",
            {"EndpointName": "e", "EndpointConfigName": "c"},
            "ResourceLimitExceeded",
            "SageMaker.ResourceLimitExceededException",
        ),
        (
            "arn:aws:states:::aws-sdk:sagemaker:describeTrainingJob",
            {"TrainingJobName": "n"},
            "ResourceNotFound",
            "SageMaker.ResourceNotFoundException",
        ),
        (
            "arn:aws:states:::aws-sdk:dynamodb:updateItem",
            {"TableName": "t", "Key": {}},
            "ConditionalCheckFailedException",
            "DynamoDb.ConditionalCheckFailedException",
        ),
        (
            "arn:aws:states:::aws-sdk:ssm:getParameter",
            {"Name": "n"},
            "ParameterNotFound",
            "Ssm.ParameterNotFoundException",
        ),
        ("arn:aws:states:::aws-sdk:s3:getObject", {"Bucket": "b", "Key": "k"}, "NoSuchKey", "S3.NoSuchKeyException"),
        ("arn:aws:states:::aws-sdk:s3:getObject", {"Bucket": "b", "Key": "k"}, "SlowDown", "S3.S3Exception"),
        (
            "arn:aws:states:::aws-sdk:sfn:startExecution",
            {"StateMachineArn": "a"},
            "StateMachineDoesNotExist",
            "Sfn.StateMachineDoesNotExistException",
        ),
    ],
)
def test_the_name_of_a_services_refusal(states, cloud, refusal, resource, arguments, code, name):  # noqa: PLR0917
    service = {"sfn": "stepfunctions"}.get(resource.split(":")[-2], resource.split(":")[-2])
    method = {
        "invoke": "invoke",
        "putItem": "put_item",
        "publish": "publish",
        "sendMessage": "send_message",
        "updateEndpoint": "update_endpoint",
        "describeTrainingJob": "describe_training_job",
        "updateItem": "update_item",
        "getParameter": "get_parameter",
        "getObject": "get_object",
        "startExecution": "start_execution",
    }[resource.split(":")[-1]]
    cloud.api(service).answers[method] = refusal(code, "the message")
    found = states.run_state(task(resource, arguments))
    assert found["error"] == name
    assert found["cause"].startswith("the message (Service: ")


def test_aws_sdk_outputs_are_pascal_case_and_times_are_iso(states, cloud):
    cloud.api("stepfunctions").answers["start_execution"] = {
        "executionArn": "e",
        "startDate": datetime(2026, 8, 28, 20, 34, 59, 712000, tzinfo=UTC),
    }
    resource = "arn:aws:states:::aws-sdk:sfn:startExecution"
    found = states.run_state(task(resource, {"StateMachineArn": "m", "Input": {"a": 1}}))
    assert found["output"] == {"ExecutionArn": "e", "StartDate": "2026-08-28T20:34:59.712Z"}
    assert cloud.api("stepfunctions").requests("start_execution") == [{"stateMachineArn": "m", "input": '{"a":1}'}]


def test_a_body_that_is_a_stream_comes_as_text(states, cloud):
    cloud.api("sagemaker-runtime").answers["invoke_endpoint"] = lambda **_: {
        "Body": payload([1, 2]),
        "ContentType": "c",
    }
    resource = "arn:aws:states:::aws-sdk:sagemakerruntime:invokeEndpoint"
    found = states.run_state(task(resource, {"EndpointName": "e", "Body": "a,b"}))
    assert found["output"] == {"Body": "[1, 2]", "ContentType": "c"}
    assert cloud.api("sagemaker-runtime").requests("invoke_endpoint") == [{"EndpointName": "e", "Body": b"a,b"}]


def test_put_events_names_the_machine_and_fails_when_an_entry_is_not_taken(states, cloud):
    cloud.api("events").answers["put_events"] = {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "x"}]}
    resource = "arn:aws:states:::events:putEvents"
    found = states.run_state(task(resource, {"Entries": [{"Detail": {"a": 1}, "DetailType": "t", "Source": "s"}]}))
    assert found["error"] == "EventBridge.FailedEntry"
    (request,) = cloud.api("events").requests("put_events")
    assert request["Entries"][0]["Resources"] == [found["stateMachineArn"], found["executionArn"]]
    assert json.loads(request["Entries"][0]["Detail"]) == {"a": 1}


def test_a_task_of_another_region_says_that_there_is_one(states):
    found = states.run_state(task("arn:aws:lambda:us-east-1:123456789012:function:f", {}))
    assert "The local cloud is one region, eu-central-1; this task calls lambda in us-east-1." in found["cause"]


class NoWaiting(Runtime):
    """Does not wait, but keeps how long it was asked to."""

    asked: ClassVar[list[float]] = []

    def sleep(self, seconds, over):
        self.asked.append(seconds)
        return False


def test_retries_back_off_up_to_their_limit(states, cloud, refusal, monkeypatch):
    monkeypatch.setattr(run_module, "Runtime", NoWaiting)
    NoWaiting.asked.clear()
    cloud.api("sns").answers["publish"] = refusal("Throttled")
    retry = {"ErrorEquals": ["States.TaskFailed"], "IntervalSeconds": 10, "BackoffRate": 3, "MaxAttempts": 4}
    state = task("arn:aws:states:::sns:publish", {"Message": "m"}, Retry=[{**retry, "MaxDelaySeconds": 40}])
    assert states.run_state(state)["error"] == "SNS.ThrottledException"
    assert NoWaiting.asked == [10, 30, 40, 40]
    assert len(cloud.api("sns").calls) == 5


def test_full_jitter_waits_at_most_the_interval(states, cloud, refusal, monkeypatch):
    monkeypatch.setattr(run_module, "Runtime", NoWaiting)
    NoWaiting.asked.clear()
    cloud.api("sns").answers["publish"] = refusal("Throttled")
    retry = {"ErrorEquals": ["States.ALL"], "IntervalSeconds": 10, "JitterStrategy": "FULL", "BackoffRate": 1}
    states.run_state(task("arn:aws:states:::sns:publish", {"Message": "m"}, Retry=[{**retry, "MaxAttempts": 20}]))
    assert len(set(NoWaiting.asked)) > 10
    assert all(0 <= seconds <= 10 for seconds in NoWaiting.asked)
