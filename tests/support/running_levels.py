"""Resource types that *run*, seen by what they do, and those that are *recorded*: there, and nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from level_registry import RECORDED, RUNS, Observed, refused, writes

OBSERVED = Observed()


@OBSERVED.level("AWS::CloudWatch::Alarm", RUNS)
def alarm(levels: Any) -> None:
    client, name = levels.client("cloudwatch"), levels.id("Alarm")

    def state() -> str:
        return str(client.describe_alarms(AlarmNames=[name])["MetricAlarms"][0]["StateValue"])

    assert state() == "OK"
    client.put_metric_data(Namespace="Levels", MetricData=[{"MetricName": "Trouble", "Value": 2}])
    assert state() == "ALARM"
    assert any(message.startswith("ALARM") and name in message for message in levels.inbox())


@OBSERVED.level("AWS::EC2::VPCEndpoint", RECORDED)
def vpc_endpoint(levels: Any) -> None:
    assert levels.described("S3Endpoint")["PhysicalResourceId"].startswith("vpce-")
    with pytest.raises(ClientError, match="the local cloud has no AWS service with the signing name 'ec2'"):
        levels.client("ec2").describe_vpc_endpoints()


@OBSERVED.level("AWS::CloudWatch::Dashboard", RECORDED)
def dashboard(levels: Any) -> None:
    assert levels.described("Dashboard")["PhysicalResourceId"] == "levels"
    client = levels.client("cloudwatch")
    assert client.get_dashboard(DashboardName="levels")["DashboardBody"]
    with pytest.raises(ClientError, match="the local cloud has no cloudwatch:GetMetricWidgetImage"):
        client.get_metric_widget_image(MetricWidget="{}")


@OBSERVED.level("AWS::DynamoDB::Table", RUNS)
def table(levels: Any) -> None:
    client, name = levels.client("dynamodb"), levels.id("Table")
    once = {"TableName": name, "Item": {"pk": {"S": "a"}}, "ConditionExpression": "attribute_not_exists(pk)"}
    client.put_item(**once)
    with pytest.raises(client.exceptions.ConditionalCheckFailedException):
        client.put_item(**once)
    with pytest.raises(client.exceptions.TransactionCanceledException):
        client.transact_write_items(
            TransactItems=[{"Put": {"TableName": name, "Item": {"pk": {"S": "b"}}}}, {"Put": once}]
        )
    assert client.scan(TableName=name)["Items"] == [{"pk": {"S": "a"}}]


@OBSERVED.level("AWS::ECR::Repository", RECORDED)
def repository(levels: Any) -> None:
    assert levels.described("Repository")["PhysicalResourceId"] == "levels"
    client = levels.client("ecr")
    with pytest.raises(ClientError, match="'another' does not exist in the registry"):
        client.describe_images(repositoryName="another")
    with pytest.raises(ClientError, match="the local cloud has no ecr:PutImage"):
        client.put_image(repositoryName="levels", imageManifest="{}")


@OBSERVED.level("AWS::Events::EventBus", RUNS)
def bus(levels: Any) -> None:
    assert "levels" in {each["Name"] for each in levels.client("events").list_event_buses()["EventBuses"]}
    levels.put_event(wanted=True, text="bus")
    assert levels.received() == ['{"said": "bus"}']
    levels.put_event(bus="default", wanted=True, text="on another bus")
    assert levels.received() == []


@OBSERVED.level("AWS::Events::Rule", RUNS)
def rule(levels: Any) -> None:
    levels.put_event(wanted=True, text="a text")
    levels.put_event(wanted=False, text="not wanted")
    levels.put_event(source="another", wanted=True, text="of another source")
    (text,) = levels.received()
    assert json.loads(text) == {"said": "a text"}


@OBSERVED.level("AWS::Lambda::Function", RUNS)
def function(levels: Any) -> None:
    answer = levels.client("lambda").invoke(FunctionName=levels.id("Function"), Payload=b'{"a": 1}')
    assert json.loads(answer["Payload"].read()) == {"text": "of the template", "event": {"a": 1}}
    events = levels.client("logs").filter_log_events(logGroupName="levels")["events"]
    assert any("called with {'a': 1}" in event["message"] for event in events)


@OBSERVED.level("AWS::Logs::LogGroup", RUNS)
def log_group(levels: Any) -> None:
    client = levels.client("logs")
    client.create_log_stream(logGroupName="levels", logStreamName="s")
    now = round(levels.cloud.clock.time() * 1000)
    client.put_log_events(logGroupName="levels", logStreamName="s", logEvents=[{"timestamp": now, "message": "a line"}])
    found = client.get_log_events(logGroupName="levels", logStreamName="s", startFromHead=True)["events"]
    assert [event["message"] for event in found] == ["a line"]


@OBSERVED.level("AWS::S3::Bucket", RUNS)
def bucket(levels: Any) -> None:
    client, place = levels.client("s3"), {"Bucket": levels.id("Bucket"), "Key": "k"}
    first = client.put_object(**place, Body=b"one")["VersionId"]
    client.put_object(**place, Body=b"two")
    assert client.get_object(**place)["Body"].read() == b"two"
    assert client.get_object(**place, VersionId=first)["Body"].read() == b"one"
    with refused("kms:Decrypt"):
        levels.client("s3", writes(levels)).get_object(**place)


@OBSERVED.level("AWS::SNS::Subscription", RUNS)
def subscription(levels: Any) -> None:
    levels.client("sns").publish(TopicArn=levels.id("SubscribedTopic"), Subject="s", Message="to the queue")
    (text,) = levels.received()
    assert json.loads(text)["Message"] == "to the queue"


@OBSERVED.level("AWS::SNS::Topic", RUNS)
def topic(levels: Any) -> None:
    levels.client("sns").publish(TopicArn=levels.id("Topic"), Subject="A subject", Message="a message")
    assert "A subject a message" in levels.inbox()


@OBSERVED.level("AWS::SQS::Queue", RUNS)
def queue(levels: Any) -> None:
    levels.client("sqs").send_message(QueueUrl=levels.id("Queue"), MessageBody="a body")
    assert levels.received() == ["a body"]
    assert levels.received() == []


@OBSERVED.level("AWS::SSM::Parameter", RUNS)
def parameter(levels: Any) -> None:
    found = levels.client("ssm").get_parameter(Name="/levels/topic")["Parameter"]
    assert found["Value"] == levels.id("Topic")


@OBSERVED.level("AWS::SageMaker::ModelPackageGroup", RUNS)
def package_group(levels: Any) -> None:
    client = levels.client("sagemaker")
    image = "683313688378.dkr.ecr.eu-central-1.amazonaws.com/sagemaker-scikit-learn:1.9-0-cpu-py3"
    types = {"SupportedContentTypes": ["text/csv"], "SupportedResponseMIMETypes": ["text/csv"]}
    for _ in range(2):
        arn = client.create_model_package(
            ModelPackageGroupName="levels",
            ModelApprovalStatus="PendingManualApproval",
            InferenceSpecification={"Containers": [{"Image": image}], **types},
        )["ModelPackageArn"]
    client.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved")
    found = client.list_model_packages(ModelPackageGroupName="levels")["ModelPackageSummaryList"]
    statuses = {each["ModelPackageVersion"]: each["ModelApprovalStatus"] for each in found}
    assert statuses == {1: "PendingManualApproval", 2: "Approved"}


@OBSERVED.level("AWS::StepFunctions::StateMachine", RUNS)
def machine(levels: Any) -> None:
    client = levels.client("stepfunctions")
    arn = client.start_execution(stateMachineArn=levels.id("Machine"), input='{"a": 1}')["executionArn"]
    found = levels.cloud.services["stepfunctions"].executions.wait(arn, 30)
    assert (found["status"], found["output"]) == ("SUCCEEDED", "2")
    events = [event["type"] for event in client.get_execution_history(executionArn=arn)["events"]]
    assert events == ["ExecutionStarted", "PassStateEntered", "PassStateExited", "ExecutionSucceeded"]
