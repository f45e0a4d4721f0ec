"""Our services see Python values and answer with them, whatever protocol boto3 speaks to that service."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError
from echo_services import MOMENT, AwsError


@pytest.fixture(params=["socket", "in process"])
def client(request, cloud, http_client):
    def make(service: str) -> Any:
        return http_client(cloud, service) if request.param == "socket" else cloud.client(service)

    return make


def test_json_with_numbers_and_times(cloud, client) -> None:
    cloud.services["sagemaker"].answers["DescribeModel"] = {"ModelName": "m", "CreationTime": MOMENT}
    answer = client("sagemaker").describe_model(ModelName="m")
    assert answer["CreationTime"] == MOMENT
    (call,) = cloud.services["sagemaker"].calls
    assert (call.service, call.operation, call.params) == ("sagemaker", "DescribeModel", {"ModelName": "m"})
    assert call.caller.kind == "owner"


def test_json_1_0_with_nested_values(cloud, client) -> None:
    cloud.services["stepfunctions"].answers["StartExecution"] = {"executionArn": "a", "startDate": MOMENT}
    answer = client("stepfunctions").start_execution(stateMachineArn="arn:x", input='{"a": "\\"ü"}')
    assert answer["startDate"] == MOMENT
    assert cloud.services["stepfunctions"].calls[0].params["input"] == '{"a": "\\"ü"}'


def test_query(cloud, client) -> None:
    cloud.services["sns"].answers["Publish"] = {"MessageId": "id-1"}
    attributes = {"k": {"DataType": "String", "StringValue": "v&<\n"}}
    answer = client("sns").publish(TopicArn="arn:t", Message="a <b> & c\r\n", MessageAttributes=attributes)
    assert answer["MessageId"] == "id-1"
    params = cloud.services["sns"].calls[0].params
    assert params == {"TopicArn": "arn:t", "Message": "a <b> & c\r\n", "MessageAttributes": attributes}


def test_cloudwatch_in_the_protocol_that_boto3_chooses(cloud, client) -> None:
    alarm = {"AlarmName": "a", "Threshold": 0.5, "StateUpdatedTimestamp": MOMENT, "ActionsEnabled": True}
    cloud.services["cloudwatch"].answers["DescribeAlarms"] = {"MetricAlarms": [alarm]}
    data = [{"MetricName": "m", "Timestamp": MOMENT, "Value": 1.25, "Dimensions": [{"Name": "n", "Value": "v"}]}]
    client("cloudwatch").put_metric_data(Namespace="N", MetricData=data)
    assert client("cloudwatch").describe_alarms()["MetricAlarms"] == [alarm]
    assert cloud.services["cloudwatch"].calls[0].params == {"Namespace": "N", "MetricData": data}


def test_rest_json_with_a_body_of_bytes(cloud, client) -> None:
    body = bytes(range(256)) * 1000
    cloud.services["sagemaker-runtime"].answers["InvokeEndpoint"] = {"Body": body, "ContentType": "text/csv"}
    answer = client("sagemaker-runtime").invoke_endpoint(
        EndpointName="e", Body=body, ContentType="text/csv; charset=utf-8", Accept="application/json"
    )
    assert (answer["Body"].read(), answer["ContentType"]) == (body, "text/csv")
    params = cloud.services["sagemaker-runtime"].calls[0].params
    assert (params["EndpointName"], params["Body"], params["Accept"]) == ("e", body, "application/json")
    assert params["ContentType"] == "text/csv; charset=utf-8"


def test_lambda_with_an_arn_in_the_path(cloud, client) -> None:
    arn = "arn:aws:lambda:eu-central-1:123456789012:function:f"
    answer = {"StatusCode": 200, "Payload": b'{"x": 1}', "FunctionError": "Unhandled"}
    cloud.services["lambda"].answers["Invoke"] = answer
    found = client("lambda").invoke(FunctionName=arn, Payload=b'{"a": 1}')
    assert (found["StatusCode"], found["FunctionError"], found["Payload"].read()) == (200, "Unhandled", b'{"x": 1}')
    assert cloud.services["lambda"].calls[0].params["FunctionName"] == arn
    assert cloud.services["lambda"].calls[0].params["Payload"] == b'{"a": 1}'


def test_rest_json_with_times_in_the_body(cloud, client) -> None:
    cloud.services["scheduler"].answers["CreateSchedule"] = {"ScheduleArn": "arn:s"}
    client("scheduler").create_schedule(
        Name="a-b",
        ScheduleExpression="rate(1 day)",
        StartDate=datetime(2026, 5, 6, tzinfo=UTC),
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": "arn:t", "RoleArn": "arn:aws:iam::123456789012:role/r"},
    )
    params = cloud.services["scheduler"].calls[0].params
    assert (params["Name"], params["StartDate"]) == ("a-b", datetime(2026, 5, 6, tzinfo=UTC))


@pytest.mark.parametrize(
    ("service", "operation", "arguments"),
    [
        ("sagemaker", "describe_model", {"ModelName": "m"}),
        ("stepfunctions", "describe_execution", {"executionArn": "arn:aws:states:eu-central-1:123456789012:x"}),
        ("sns", "list_topics", {}),
        ("cloudwatch", "describe_alarms", {}),
        ("sagemaker-runtime", "invoke_endpoint", {"EndpointName": "e", "Body": b""}),
        ("scheduler", "get_schedule", {"Name": "n"}),
    ],
)
def test_an_error_reaches_the_caller_in_every_protocol(cloud, client, service, operation, arguments) -> None:
    name = "".join(word.title() for word in operation.split("_"))
    cloud.services[service].answers[name] = AwsError("AccessDeniedException", 'no "way" <here>', 403)
    with pytest.raises(ClientError) as caught:
        getattr(client(service), operation)(**arguments)
    assert caught.value.response["Error"]["Code"] == "AccessDeniedException"
    assert caught.value.response["Error"]["Message"] == 'no "way" <here>'
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    assert len(caught.value.response["ResponseMetadata"]["RequestId"]) == 36


def test_a_modelled_error_keeps_its_members(cloud, client) -> None:
    members = {"OriginalStatusCode": 415, "OriginalMessage": "no"}
    cloud.services["sagemaker-runtime"].answers["InvokeEndpoint"] = AwsError("ModelError", "failed", 424, members)
    runtime = client("sagemaker-runtime")
    with pytest.raises(runtime.exceptions.ModelError) as caught:
        runtime.invoke_endpoint(EndpointName="e", Body=b"x")
    assert caught.value.response["OriginalStatusCode"] == 415
    assert caught.value.response["OriginalMessage"] == "no"


def test_an_unexpected_failure_is_an_internal_failure_that_names_the_call(cloud, client) -> None:
    cloud.services["sagemaker"].answers["DescribeModel"] = ZeroDivisionError("oh")
    with pytest.raises(ClientError, match=r"InternalFailure.*sagemaker:DescribeModel failed.*ZeroDivisionError: oh"):
        client("sagemaker").describe_model(ModelName="m")


def test_a_body_given_as_a_stream_arrives(cloud, client) -> None:
    s3 = client("s3")
    s3.create_bucket(Bucket="bucket", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    body = b"0123456789" * 300_000
    s3.upload_fileobj(io.BytesIO(body), "bucket", "large")
    s3.put_object(Bucket="bucket", Key="stream", Body=io.BytesIO(body))
    assert s3.get_object(Bucket="bucket", Key="large")["Body"].read() == body
    assert s3.get_object(Bucket="bucket", Key="stream")["Body"].read() == body
