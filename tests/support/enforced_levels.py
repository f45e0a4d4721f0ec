"""Resource types that are *enforced*: each with a call that it lets through and one that it refuses."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from build_level import observe_project
from level_registry import ENFORCED, Observed, let_in, refused, writes
from tiny_assembly import policy

OBSERVED = Observed()


@OBSERVED.level("AWS::Events::EventBusPolicy", ENFORCED)
def bus_policy(levels: Any) -> None:
    levels.put_event(role=let_in(levels))
    with refused("events:PutEvents"):
        levels.put_event(role=levels.role())


@OBSERVED.level("AWS::IAM::Policy", ENFORCED)
def attached_policy(levels: Any) -> None:
    client = levels.client("sns", levels.arn("Role"))
    client.list_topics()
    with refused("sns:GetTopicAttributes"):
        client.get_topic_attributes(TopicArn=levels.id("Topic"))


@OBSERVED.level("AWS::IAM::Role", ENFORCED)
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


@OBSERVED.level("AWS::IAM::OIDCProvider", ENFORCED)
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


@OBSERVED.level("AWS::KMS::Alias", ENFORCED)
def alias(levels: Any) -> None:
    request = {"Bucket": levels.id("Bucket"), "Key": "by-alias", "ServerSideEncryption": "aws:kms"}
    levels.client("s3", writes(levels, "kms:GenerateDataKey")).put_object(**request, SSEKMSKeyId="alias/levels")
    with refused("kms:GenerateDataKey"):
        levels.client("s3", writes(levels)).put_object(**request, SSEKMSKeyId="alias/levels")


@OBSERVED.level("AWS::KMS::Key", ENFORCED)
def key(levels: Any) -> None:
    place = {"Bucket": levels.id("Bucket"), "Key": "under-the-key"}
    levels.client("s3", writes(levels, "kms:GenerateDataKey")).put_object(**place, Body=b"x")
    with refused("kms:GenerateDataKey"):
        levels.client("s3", writes(levels)).put_object(**place, Body=b"x")
    with refused("kms:Decrypt"):
        levels.client("s3", writes(levels, "kms:GenerateDataKey")).get_object(**place)
    assert levels.client("s3", writes(levels, "kms:Decrypt")).get_object(**place)["Body"].read() == b"x"


@OBSERVED.level("AWS::Lambda::Permission", ENFORCED)
def permission(levels: Any) -> None:
    failed = levels.metric("AWS/Events", "FailedInvocations")
    levels.put_event(bus="default", source="permitted")
    assert levels.metric("AWS/Events", "FailedInvocations") == failed
    levels.put_event(bus="default", source="other")
    assert levels.metric("AWS/Events", "FailedInvocations") == failed + 1


@OBSERVED.level("AWS::Logs::ResourcePolicy", ENFORCED)
def log_policy(levels: Any) -> None:
    failed = levels.metric("AWS/Events", "FailedInvocations")
    levels.put_event(bus="default", source="logged", text="hello")
    client = levels.client("logs")
    (event,) = client.filter_log_events(logGroupName="/aws/events/levels")["events"]
    assert json.loads(event["message"])["detail"] == {"text": "hello"}
    assert client.filter_log_events(logGroupName="/aws/other/levels")["events"] == []
    assert levels.metric("AWS/Events", "FailedInvocations") == failed + 1


@OBSERVED.level("AWS::S3::BucketPolicy", ENFORCED)
def bucket_policy(levels: Any) -> None:
    client = levels.client("s3", writes(levels, "kms:GenerateDataKey"))
    client.put_object(Bucket=levels.id("Bucket"), Key="open/k", Body=b"x")
    with pytest.raises(ClientError, match="explicit deny in a resource-based policy"):
        client.put_object(Bucket=levels.id("Bucket"), Key="locked/k", Body=b"x")


@OBSERVED.level("AWS::SNS::TopicPolicy", ENFORCED)
def topic_policy(levels: Any) -> None:
    levels.client("sns", let_in(levels)).publish(TopicArn=levels.id("Topic"), Message="let in")
    assert "None let in" in levels.inbox()
    with refused("sns:Publish"):
        levels.client("sns", levels.role()).publish(TopicArn=levels.id("Topic"), Message="not let in")


@OBSERVED.level("AWS::SQS::QueuePolicy", ENFORCED)
def queue_policy(levels: Any) -> None:
    levels.client("sqs", let_in(levels)).send_message(QueueUrl=levels.id("Queue"), MessageBody="let in")
    with refused("sqs:SendMessage"):
        levels.client("sqs", levels.role()).send_message(QueueUrl=levels.id("Queue"), MessageBody="not let in")
    assert levels.received() == ["let in"]


OBSERVED["AWS::CodeBuild::Project"] = (ENFORCED, observe_project)
