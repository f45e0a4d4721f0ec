import json

import pytest
from botocore.exceptions import ClientError

from modelwright.local.logs import Logs
from modelwright.local.messages.queues import Queues
from modelwright.local.messages.topics import Topics


def test_a_message_outlasts_a_restart_until_it_is_deleted(cloud, add):
    add(Queues)
    url = cloud.client("sqs").create_queue(QueueName="q")["QueueUrl"]
    cloud.client("sqs").send_message(QueueUrl=url, MessageBody="hello")
    add(Queues)
    cloud.client("sqs").create_queue(QueueName="q")
    (message,) = cloud.client("sqs").receive_message(QueueUrl=url)["Messages"]
    assert message["Body"] == "hello"
    assert cloud.client("sqs").receive_message(QueueUrl=url)["Messages"] == []
    cloud.clock.advance(31)
    (message,) = cloud.client("sqs").receive_message(QueueUrl=url)["Messages"]
    cloud.client("sqs").delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    cloud.clock.advance(31)
    assert cloud.client("sqs").receive_message(QueueUrl=url)["Messages"] == []


def test_a_topic_delivers_to_its_queue_unless_the_queue_refuses(cloud, add):
    add(Queues)
    add(Topics)
    url = cloud.client("sqs").create_queue(QueueName="q")["QueueUrl"]
    topic = cloud.client("sns").create_topic(Name="t")["TopicArn"]
    cloud.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint="arn:aws:sqs:eu-west-1:123456789012:q")
    cloud.client("sns").publish(TopicArn=topic, Subject="s", Message="m")
    (message,) = cloud.client("sqs").receive_message(QueueUrl=url)["Messages"]
    assert json.loads(message["Body"])["Message"] == "m"
    cloud.iam.denied.add("sqs:SendMessage")
    cloud.client("sns").publish(TopicArn=topic, Message="lost")
    assert len(cloud.services["sqs"].messages()) == 1
    assert [entry["message"] for entry in cloud.services["sns"].messages()] == ["m", "lost"]
    assert cloud.metrics["AWS/SNS", "NumberOfNotificationsFailed"] == 1


def test_limits_of_a_message(cloud, add):
    add(Topics)
    topic = cloud.client("sns").create_topic(Name="t")["TopicArn"]
    with pytest.raises(ClientError, match="too long"):
        cloud.client("sns").publish(TopicArn=topic, Message="x" * (256 * 1024 + 1))
    with pytest.raises(ClientError, match="Subject"):
        cloud.client("sns").publish(TopicArn=topic, Message="x", Subject="x" * 101)


def test_lines_are_read_in_order_and_by_page(cloud, add):
    logs = add(Logs)
    logs.write("/aws/x", "job/1", [(1.0, "one"), (2.0, "two")])
    logs.write("/aws/x", "job/2", [(1.5, "between")])
    client = cloud.client("logs")
    assert [event["message"] for event in client.filter_log_events(logGroupName="/aws/x")["events"]] == [
        "one",
        "between",
        "two",
    ]
    first = client.get_log_events(logGroupName="/aws/x", logStreamName="job/1", limit=1)
    assert [event["message"] for event in first["events"]] == ["one"]
    rest = client.get_log_events(logGroupName="/aws/x", logStreamName="job/1", nextToken=first["nextForwardToken"])
    assert [event["message"] for event in rest["events"]] == ["two"]
    page = client.filter_log_events(logGroupName="/aws/x", limit=2)
    assert [
        event["message"]
        for event in client.filter_log_events(logGroupName="/aws/x", nextToken=page["nextToken"])["events"]
    ] == ["two"]
    assert [
        event["message"]
        for event in client.filter_log_events(logGroupName="/aws/x", startTime=1500, endTime=2000)["events"]
    ] == ["between"]


def test_a_group_that_is_deleted_begins_anew(cloud, add):
    logs = add(Logs)
    logs.write("g", "s", [(1.0, "old")])
    cloud.client("logs").delete_log_group(logGroupName="g")
    with pytest.raises(ClientError, match="does not exist"):
        cloud.client("logs").filter_log_events(logGroupName="g")
    logs.write("g", "s", [(2.0, "new")])
    assert [event["message"] for event in cloud.client("logs").filter_log_events(logGroupName="g")["events"]] == ["new"]


def test_a_filter_pattern_is_refused_rather_than_ignored(cloud, add):
    add(Logs).write("g", "s", [(1.0, "x")])
    with pytest.raises(ClientError, match="filterPattern is not supported"):
        cloud.client("logs").filter_log_events(logGroupName="g", filterPattern="ERROR")


def test_a_log_group_needs_a_key_that_lets_cloudwatch_logs_in(cloud, add):
    add(Logs)
    client = cloud.client("logs")
    client.create_log_group(logGroupName="/kept", kmsKeyId="arn:key")
    assert {action for _, action, _ in cloud.iam.asked} == {
        f"kms:{verb}" for verb in ("Encrypt", "Decrypt", "ReEncryptFrom", "ReEncryptTo", "GenerateDataKey")
    }
    assert {who for who, _, _ in cloud.iam.asked} == {"logs.eu-west-1.amazonaws.com"}
    cloud.iam.denied.add("kms:Decrypt")
    with pytest.raises(ClientError, match="The specified KMS key does not exist or is not allowed to be used with Arn"):
        client.create_log_group(logGroupName="/refused", kmsKeyId="arn:key")
    client.create_log_group(logGroupName="/plain")
    with pytest.raises(ClientError, match="not allowed to be used"):
        client.associate_kms_key(logGroupName="/plain", kmsKeyId="arn:key")
    groups = {group["logGroupName"]: group.get("kmsKeyId") for group in client.describe_log_groups()["logGroups"]}
    assert groups == {"/kept": "arn:key", "/plain": None}
    with pytest.raises(ClientError, match="not allowed to be used"):
        client.filter_log_events(logGroupName="/kept")
    client.disassociate_kms_key(logGroupName="/kept")
    assert client.filter_log_events(logGroupName="/kept")["events"] == []
    assert "kmsKeyId" not in client.describe_log_groups(logGroupNamePrefix="/kept")["logGroups"][0]
