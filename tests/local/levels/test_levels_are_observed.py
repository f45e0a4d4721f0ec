"""Every resource type at its declared level, seen through AWS's own API (docs/local.md).

*runs*: what it does. *enforced*: a call that it lets through and one that it refuses. *recorded*: it is there, and
nothing else is.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import api_levels
import pytest
from botocore.exceptions import ClientError
from build_level import observe_project
from level_template import LET_IN, TEMPLATE
from tiny_assembly import allow, policy, trusts

from modelwright.local.template.registry import Level, handlers

if TYPE_CHECKING:
    from collections.abc import Callable

RUNS, ENFORCED, RECORDED = Level.RUNS, Level.ENFORCED, Level.RECORDED
OBSERVED: dict[str, tuple[Level, Callable[[Any], None]]] = {**api_levels.OBSERVED}


def level(kind: str, declared: Level) -> Callable[[Callable[[Any], None]], Callable[[Any], None]]:
    """The function below observes a type at a level."""

    def register(observe: Callable[[Any], None]) -> Callable[[Any], None]:
        OBSERVED[kind] = (declared, observe)
        return observe

    return register


def refused(action: str) -> Any:
    return pytest.raises(ClientError, match=f"not authorized to perform: {action}")


def let_in(levels: Any) -> str:
    """The ARN of the role that has no grants of its own and that the resources' policies name."""
    arn = f"arn:aws:iam::{levels.cloud.account}:role/{LET_IN}"
    levels.cloud.iam.put_role(arn, trusts("lambda"), {})
    return arn


@level("AWS::CloudWatch::Alarm", RUNS)
def alarm(levels: Any) -> None:
    client, name = levels.client("cloudwatch"), levels.id("Alarm")

    def state() -> str:
        return str(client.describe_alarms(AlarmNames=[name])["MetricAlarms"][0]["StateValue"])

    assert state() == "OK"
    client.put_metric_data(Namespace="Levels", MetricData=[{"MetricName": "Trouble", "Value": 2}])
    assert state() == "ALARM"
    assert any(message.startswith("ALARM") and name in message for message in levels.inbox())


@level("AWS::EC2::VPCEndpoint", RECORDED)
def vpc_endpoint(levels: Any) -> None:
    assert levels.described("S3Endpoint")["PhysicalResourceId"].startswith("vpce-")
    with pytest.raises(ClientError, match="the local cloud has no AWS service with the signing name 'ec2'"):
        levels.client("ec2").describe_vpc_endpoints()


@level("AWS::CloudWatch::Dashboard", RECORDED)
def dashboard(levels: Any) -> None:
    assert levels.described("Dashboard")["PhysicalResourceId"] == "levels"
    client = levels.client("cloudwatch")
    assert client.get_dashboard(DashboardName="levels")["DashboardBody"]
    with pytest.raises(ClientError, match="the local cloud has no cloudwatch:GetMetricWidgetImage"):
        client.get_metric_widget_image(MetricWidget="{}")


@level("AWS::DynamoDB::Table", RUNS)
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


@level("AWS::ECR::Repository", RECORDED)
def repository(levels: Any) -> None:
    assert levels.described("Repository")["PhysicalResourceId"] == "levels"
    client = levels.client("ecr")
    with pytest.raises(ClientError, match="'another' does not exist in the registry"):
        client.describe_images(repositoryName="another")
    with pytest.raises(ClientError, match="the local cloud has no ecr:PutImage"):
        client.put_image(repositoryName="levels", imageManifest="{}")


OBSERVED["AWS::CodeBuild::Project"] = (ENFORCED, observe_project)


@level("AWS::Events::EventBus", RUNS)
def bus(levels: Any) -> None:
    assert "levels" in {each["Name"] for each in levels.client("events").list_event_buses()["EventBuses"]}
    levels.put_event(wanted=True, text="bus")
    assert levels.received() == ['{"said": "bus"}']
    levels.put_event(bus="default", wanted=True, text="on another bus")
    assert levels.received() == []


@level("AWS::Events::EventBusPolicy", ENFORCED)
def bus_policy(levels: Any) -> None:
    levels.put_event(role=let_in(levels))
    with refused("events:PutEvents"):
        levels.put_event(role=levels.role())


@level("AWS::Events::Rule", RUNS)
def rule(levels: Any) -> None:
    levels.put_event(wanted=True, text="a text")
    levels.put_event(wanted=False, text="not wanted")
    levels.put_event(source="another", wanted=True, text="of another source")
    (text,) = levels.received()
    assert json.loads(text) == {"said": "a text"}


@level("AWS::IAM::Policy", ENFORCED)
def attached_policy(levels: Any) -> None:
    client = levels.client("sns", levels.arn("Role"))
    client.list_topics()
    with refused("sns:GetTopicAttributes"):
        client.get_topic_attributes(TopicArn=levels.id("Topic"))


@level("AWS::IAM::Role", ENFORCED)
def role(levels: Any) -> None:
    client = levels.client("ssm", levels.arn("Role"))
    assert client.get_parameter(Name="/levels/topic")
    with refused("ssm:PutParameter"):
        client.put_parameter(Name="/levels/topic", Value="x", Overwrite=True)
    machine = {"definition": json.dumps({"StartAt": "A", "States": {"A": {"Type": "Succeed"}}})}
    levels.client("stepfunctions").create_state_machine(name="taken", roleArn=levels.arn("Role"), **machine)
    with pytest.raises(ClientError, match="is authorized to assume the provided role"):
        levels.client("stepfunctions").create_state_machine(
            name="refused", roleArn=levels.arn("FunctionRole"), **machine
        )


def writes(levels: Any, *kms: str) -> str:
    """A role that may put objects and use the key for that."""
    grants = [allow(["s3:PutObject", "s3:GetObject"], f"arn:aws:s3:::{levels.id('Bucket')}/*")]
    return str(levels.role(*grants, *([allow(list(kms), levels.arn("Key"))] if kms else [])))


@level("AWS::IAM::OIDCProvider", ENFORCED)
def identity_provider(levels: Any) -> None:
    arn, subject = f"arn:aws:iam::{levels.cloud.account}:role/by-token", "repo:a/b:ref:refs/heads/main"
    key = "token.actions.githubusercontent.com:sub"
    who = {"Federated": levels.id("Provider")}
    trust = {"Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity", "Principal": who}
    levels.cloud.iam.put_role(arn, policy({**trust, "Condition": {"StringEquals": {key: subject}}}), {})
    client, token = levels.client("sts"), levels.cloud.services["sts"].token
    request = {"RoleArn": arn, "RoleSessionName": "tried"}
    answer = client.assume_role_with_web_identity(**request, WebIdentityToken=token(subject))
    assert answer["Provider"] == levels.id("Provider")
    with pytest.raises(ClientError, match="Incorrect token audience"):
        client.assume_role_with_web_identity(**request, WebIdentityToken=token(subject, audience="another"))
    with pytest.raises(ClientError, match="Not authorized to perform sts:AssumeRoleWithWebIdentity"):
        client.assume_role_with_web_identity(**request, WebIdentityToken=token("repo:a/c:ref:refs/heads/main"))


@level("AWS::KMS::Alias", ENFORCED)
def alias(levels: Any) -> None:
    request = {"Bucket": levels.id("Bucket"), "Key": "by-alias", "ServerSideEncryption": "aws:kms"}
    levels.client("s3", writes(levels, "kms:GenerateDataKey")).put_object(**request, SSEKMSKeyId="alias/levels")
    with refused("kms:GenerateDataKey"):
        levels.client("s3", writes(levels)).put_object(**request, SSEKMSKeyId="alias/levels")


@level("AWS::KMS::Key", ENFORCED)
def key(levels: Any) -> None:
    place = {"Bucket": levels.id("Bucket"), "Key": "under-the-key"}
    levels.client("s3", writes(levels, "kms:GenerateDataKey")).put_object(**place, Body=b"x")
    with refused("kms:GenerateDataKey"):
        levels.client("s3", writes(levels)).put_object(**place, Body=b"x")
    with refused("kms:Decrypt"):
        levels.client("s3", writes(levels, "kms:GenerateDataKey")).get_object(**place)
    assert levels.client("s3", writes(levels, "kms:Decrypt")).get_object(**place)["Body"].read() == b"x"


@level("AWS::Lambda::Function", RUNS)
def function(levels: Any) -> None:
    answer = levels.client("lambda").invoke(FunctionName=levels.id("Function"), Payload=b'{"a": 1}')
    assert json.loads(answer["Payload"].read()) == {"text": "of the template", "event": {"a": 1}}
    events = levels.client("logs").filter_log_events(logGroupName="levels")["events"]
    assert any("called with {'a': 1}" in event["message"] for event in events)


@level("AWS::Lambda::Permission", ENFORCED)
def permission(levels: Any) -> None:
    failed = levels.metric("AWS/Events", "FailedInvocations")
    levels.put_event(bus="default", source="permitted")
    assert levels.metric("AWS/Events", "FailedInvocations") == failed
    levels.put_event(bus="default", source="other")
    assert levels.metric("AWS/Events", "FailedInvocations") == failed + 1


@level("AWS::Logs::LogGroup", RUNS)
def log_group(levels: Any) -> None:
    client = levels.client("logs")
    client.create_log_stream(logGroupName="levels", logStreamName="s")
    now = round(levels.cloud.clock.time() * 1000)
    client.put_log_events(logGroupName="levels", logStreamName="s", logEvents=[{"timestamp": now, "message": "a line"}])
    found = client.get_log_events(logGroupName="levels", logStreamName="s", startFromHead=True)["events"]
    assert [event["message"] for event in found] == ["a line"]


@level("AWS::Logs::ResourcePolicy", ENFORCED)
def log_policy(levels: Any) -> None:
    failed = levels.metric("AWS/Events", "FailedInvocations")
    levels.put_event(bus="default", source="logged", text="hello")
    client = levels.client("logs")
    (event,) = client.filter_log_events(logGroupName="/aws/events/levels")["events"]
    assert json.loads(event["message"])["detail"] == {"text": "hello"}
    assert client.filter_log_events(logGroupName="/aws/other/levels")["events"] == []
    assert levels.metric("AWS/Events", "FailedInvocations") == failed + 1


@level("AWS::S3::Bucket", RUNS)
def bucket(levels: Any) -> None:
    client, place = levels.client("s3"), {"Bucket": levels.id("Bucket"), "Key": "k"}
    first = client.put_object(**place, Body=b"one")["VersionId"]
    client.put_object(**place, Body=b"two")
    assert client.get_object(**place)["Body"].read() == b"two"
    assert client.get_object(**place, VersionId=first)["Body"].read() == b"one"
    with refused("kms:Decrypt"):
        levels.client("s3", writes(levels)).get_object(**place)


@level("AWS::S3::BucketPolicy", ENFORCED)
def bucket_policy(levels: Any) -> None:
    client = levels.client("s3", writes(levels, "kms:GenerateDataKey"))
    client.put_object(Bucket=levels.id("Bucket"), Key="open/k", Body=b"x")
    with pytest.raises(ClientError, match="explicit deny in a resource-based policy"):
        client.put_object(Bucket=levels.id("Bucket"), Key="locked/k", Body=b"x")


@level("AWS::SNS::Subscription", RUNS)
def subscription(levels: Any) -> None:
    levels.client("sns").publish(TopicArn=levels.id("SubscribedTopic"), Subject="s", Message="to the queue")
    (text,) = levels.received()
    assert json.loads(text)["Message"] == "to the queue"


@level("AWS::SNS::Topic", RUNS)
def topic(levels: Any) -> None:
    levels.client("sns").publish(TopicArn=levels.id("Topic"), Subject="A subject", Message="a message")
    assert "A subject a message" in levels.inbox()


@level("AWS::SNS::TopicPolicy", ENFORCED)
def topic_policy(levels: Any) -> None:
    levels.client("sns", let_in(levels)).publish(TopicArn=levels.id("Topic"), Message="let in")
    assert "None let in" in levels.inbox()
    with refused("sns:Publish"):
        levels.client("sns", levels.role()).publish(TopicArn=levels.id("Topic"), Message="not let in")


@level("AWS::SQS::Queue", RUNS)
def queue(levels: Any) -> None:
    levels.client("sqs").send_message(QueueUrl=levels.id("Queue"), MessageBody="a body")
    assert levels.received() == ["a body"]
    assert levels.received() == []


@level("AWS::SQS::QueuePolicy", ENFORCED)
def queue_policy(levels: Any) -> None:
    levels.client("sqs", let_in(levels)).send_message(QueueUrl=levels.id("Queue"), MessageBody="let in")
    with refused("sqs:SendMessage"):
        levels.client("sqs", levels.role()).send_message(QueueUrl=levels.id("Queue"), MessageBody="not let in")
    assert levels.received() == ["let in"]


@level("AWS::SSM::Parameter", RUNS)
def parameter(levels: Any) -> None:
    found = levels.client("ssm").get_parameter(Name="/levels/topic")["Parameter"]
    assert found["Value"] == levels.id("Topic")


@level("AWS::SageMaker::ModelPackageGroup", RUNS)
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


@level("AWS::StepFunctions::StateMachine", RUNS)
def machine(levels: Any) -> None:
    client = levels.client("stepfunctions")
    arn = client.start_execution(stateMachineArn=levels.id("Machine"), input='{"a": 1}')["executionArn"]
    found = levels.cloud.services["stepfunctions"].executions.wait(arn, 30)
    assert (found["status"], found["output"]) == ("SUCCEEDED", "2")
    events = [event["type"] for event in client.get_execution_history(executionArn=arn)["events"]]
    assert events == ["ExecutionStarted", "PassStateEntered", "PassStateExited", "ExecutionSucceeded"]


@pytest.mark.parametrize("kind", sorted(OBSERVED))
def test_what_a_type_does_is_what_its_level_says(levels: Any, kind: str) -> None:
    declared, observe = OBSERVED[kind]
    assert handlers()[kind].level is declared
    observe(levels)


def test_every_type_is_observed() -> None:
    assert set(OBSERVED) == set(handlers())
    assert {resource["Type"] for resource in TEMPLATE["Resources"].values()} == set(handlers())


def test_every_note_says_what_a_level_means() -> None:
    assert all(len(handler.note) > 15 for handler in handlers().values())
