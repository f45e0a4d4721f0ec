"""What is shared: encrypted, private, kept, and reachable by the services that deliver into it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from template_queries import Stack, as_list, read_stack

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def stack(assembly: Path) -> Stack:
    return read_stack(assembly, "mw-dev-data")


def published(stack: Stack, name: str) -> str:
    """The logical id of what is published under a name."""
    _, parameter = stack.one("AWS::SSM::Parameter", Name=f"/modelwright/dev/{name}")
    return str(parameter["Value"]).strip("<>").split(".")[0]


def policy(stack: Stack, type_: str, key: str, reference: str) -> list[dict[str, Any]]:
    found = [item for item in stack.all(type_).values() if reference in as_list(item[key])]
    assert len(found) == 1
    return list(found[0]["PolicyDocument"]["Statement"])


def test_everything_that_is_shared_is_published(stack: Stack) -> None:
    names = {item["Name"] for item in stack.all("AWS::SSM::Parameter").values()}
    shared = "key-arn data-bucket artifact-bucket log-bucket table-name event-bus-name topic-arn dead-letter-queue-arn"
    assert names == {f"/modelwright/dev/{name}" for name in shared.split()}


@pytest.mark.parametrize("name", ["data-bucket", "artifact-bucket", "log-bucket"])
def test_each_bucket_is_private_versioned_and_takes_tls_only(stack: Stack, name: str) -> None:
    id_ = published(stack, name)
    bucket = stack.all("AWS::S3::Bucket")[id_]
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert bucket["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    (tls,) = (item for item in policy(stack, "AWS::S3::BucketPolicy", "Bucket", f"<{id_}>") if item["Sid"] == "TlsOnly")
    assert (tls["Effect"], tls["Action"], tls["Principal"]) == ("Deny", "s3:*", "*")
    assert tls["Resource"] == [f"<{id_}.Arn>", f"<{id_}.Arn>/*"]
    assert tls["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


@pytest.mark.parametrize("name", ["data-bucket", "artifact-bucket"])
def test_data_and_artifacts_are_under_the_key_and_logged(stack: Stack, name: str) -> None:
    bucket = stack.all("AWS::S3::Bucket")[published(stack, name)]
    (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    key = published(stack, "key-arn")
    assert rule["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": f"<{key}.Arn>"}
    assert rule["BucketKeyEnabled"] is True
    assert bucket["LoggingConfiguration"]["DestinationBucketName"] == f"<{published(stack, 'log-bucket')}>"


@pytest.mark.parametrize("name", ["data-bucket", "artifact-bucket"])
def test_nobody_encrypts_with_a_key_that_only_he_has(stack: Stack, name: str) -> None:
    id_ = published(stack, name)
    found = {item["Sid"]: item for item in policy(stack, "AWS::S3::BucketPolicy", "Bucket", f"<{id_}>")}
    deny = found["NoKeysOfCallers"]
    assert (deny["Effect"], deny["Action"], deny["Resource"]) == ("Deny", "s3:PutObject", f"<{id_}.Arn>/*")
    assert deny["Condition"] == {"Null": {"s3:x-amz-server-side-encryption-customer-algorithm": "false"}}


def test_data_come_under_the_environments_key_or_not_at_all(stack: Stack) -> None:
    id_ = published(stack, "data-bucket")
    found = {item["Sid"]: item for item in policy(stack, "AWS::S3::BucketPolicy", "Bucket", f"<{id_}>")}
    deny = found["OnlyKeysOfPipelines"]
    asked, named = (f"s3:x-amz-server-side-encryption{end}" for end in ("", "-aws-kms-key-id"))
    ours = f"<{published(stack, 'key-arn')}.Arn>"
    assert deny["Condition"] == {"Null": {asked: "false"}, "StringNotEquals": {named: ours}}


def test_access_logs_can_be_delivered(stack: Stack) -> None:
    """Log delivery can use neither a key of ours nor a bucket without a statement for it."""
    id_ = published(stack, "log-bucket")
    (rule,) = stack.all("AWS::S3::Bucket")[id_]["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    (delivery,) = (
        item
        for item in policy(stack, "AWS::S3::BucketPolicy", "Bucket", f"<{id_}>")
        if item["Principal"] == {"Service": "logging.s3.amazonaws.com"}
    )
    assert delivery["Condition"]["StringEquals"] == {"aws:SourceAccount": "<AWS::AccountId>"}
    sources = {f"<{published(stack, name)}.Arn>" for name in ("data-bucket", "artifact-bucket")}
    assert set(delivery["Condition"]["ArnLike"]["aws:SourceArn"]) == sources


def test_pipelines_never_write_to_the_data_bucket(stack: Stack) -> None:
    id_ = published(stack, "data-bucket")
    (deny,) = (
        item
        for item in policy(stack, "AWS::S3::BucketPolicy", "Bucket", f"<{id_}>")
        if item["Sid"] == "PipelinesNeverWrite"
    )
    assert deny["Effect"] == "Deny"
    assert deny["NotAction"] == ["s3:Get*", "s3:List*"]
    assert deny["Resource"] == [f"<{id_}.Arn>", f"<{id_}.Arn>/*"]
    role = "arn:<AWS::Partition>:iam::<AWS::AccountId>:role"
    assert deny["Condition"] == {"ArnLike": {"aws:PrincipalArn": [f"{role}/mw-dev-*", f"{role}/*/mw-dev-*"]}}


def test_the_key_rotates(stack: Stack) -> None:
    _, key = stack.one("AWS::KMS::Key")
    assert key["EnableKeyRotation"] is True


def test_the_table_can_be_restored_and_forgets_by_itself(stack: Stack) -> None:
    _, table = stack.one("AWS::DynamoDB::Table")
    assert table["TableName"] == "mw-dev"
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    assert table["DeletionProtectionEnabled"] is True
    assert table["SSESpecification"]["KMSMasterKeyId"] == f"<{published(stack, 'key-arn')}.Arn>"
    assert [item["AttributeName"] for item in table["KeySchema"]] == ["pk", "sk"]


def test_undelivered_events_of_this_environment_reach_the_queue(stack: Stack) -> None:
    id_ = published(stack, "dead-letter-queue-arn")
    queue = stack.all("AWS::SQS::Queue")[id_]
    assert queue["KmsMasterKeyId"] == f"<{published(stack, 'key-arn')}.Arn>"
    assert queue["MessageRetentionPeriod"] == 14 * 24 * 3600
    tls, events = policy(stack, "AWS::SQS::QueuePolicy", "Queues", f"<{id_}>")
    assert tls["Effect"] == "Deny"
    assert events["Principal"] == {"Service": "events.amazonaws.com"}
    assert events["Action"] == "sqs:SendMessage"
    assert events["Condition"]["StringEquals"] == {"aws:SourceAccount": "<AWS::AccountId>"}
    rules = "arn:<AWS::Partition>:events:<AWS::Region>:<AWS::AccountId>:rule/"
    assert set(events["Condition"]["ArnLike"]["aws:SourceArn"]) == {f"{rules}mw-dev-*", f"{rules}mw-dev/mw-dev-*"}


def test_alarms_of_this_environment_reach_the_topic(stack: Stack) -> None:
    id_ = published(stack, "topic-arn")
    assert stack.all("AWS::SNS::Topic")[id_]["KmsMasterKeyId"] == f"<{published(stack, 'key-arn')}.Arn>"
    tls, alarms = policy(stack, "AWS::SNS::TopicPolicy", "Topics", f"<{id_}>")
    assert (tls["Effect"], tls["Action"]) == ("Deny", "sns:Publish")
    assert alarms["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    mine = "arn:<AWS::Partition>:cloudwatch:<AWS::Region>:<AWS::AccountId>:alarm:mw-dev-*"
    assert alarms["Condition"]["ArnLike"] == {"aws:SourceArn": mine}


def test_a_dead_letter_is_told(stack: Stack) -> None:
    _, alarm = stack.one("AWS::CloudWatch::Alarm", MetricName="ApproximateNumberOfMessagesVisible")
    queue = published(stack, "dead-letter-queue-arn")
    assert alarm["Dimensions"] == [{"Name": "QueueName", "Value": f"<{queue}.QueueName>"}]
    assert alarm["AlarmActions"] == [f"<{published(stack, 'topic-arn')}>"]


def test_what_must_not_be_lost_outlives_its_stack(stack: Stack) -> None:
    kept = {"AWS::S3::Bucket", "AWS::S3::BucketPolicy", "AWS::KMS::Key", "AWS::DynamoDB::Table", "AWS::SQS::Queue"}
    for logical_id, resource in stack.resources():
        if resource["Type"] in kept:
            protected = resource["Type"] == "AWS::DynamoDB::Table"
            assert resource["DeletionPolicy"] == ("Retain" if protected else "RetainExceptOnCreate"), logical_id
            assert resource["UpdateReplacePolicy"] == "Retain", logical_id


def test_a_first_deployment_that_fails_leaves_no_table_in_the_way_of_the_next(stack: Stack) -> None:
    """A protected table cannot be rolled back: all but the parameter that names it is made before it."""
    logical_id, _ = stack.one("AWS::DynamoDB::Table")
    others = {name for name, _ in stack.resources()} - {logical_id, "TableNameParameter", "Key"}
    assert set(stack.body["Resources"][logical_id]["DependsOn"]) == others
