"""The one key that everything at rest is encrypted with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Aws
from aws_cdk import aws_kms as kms

from stacks.names import STATE_MACHINE_LOGS
from stacks.policies import ACCOUNT_ONLY, Statement, arn, document
from stacks.policy_checks import accept_found

if TYPE_CHECKING:
    from aws_cdk import RemovalPolicy
    from constructs import Construct

_CONTEXT = "as AWS's page has it: kms:EncryptionContext is a text, which holds a log group's ARN"
_AS_AWS_WRITES_IT = {
    "RESOURCE_MISMATCH[IdentityPoliciesDecide/kms:*]": "AWS's default statement; of kms, what a key takes counts",
    **{
        f"MISMATCHED_TYPE[LogGroupsAreEncrypted/kms:{name}]": _CONTEXT
        for name in ("Encrypt", "Decrypt", "ReEncrypt*", "GenerateDataKey*")
    },
    "UNKNOWN_CONDITION_FOR_ACTION[LogGroupsAreEncrypted/kms:DescribeKey]": "AWS's page has it in this statement",
}
"""https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html and
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html"""
NO_KEY = "the environment's owner chose AWS's own keys: `key: aws-owned`"
"""Why a resource is not under a key in KMS."""
_USE = ("kms:Decrypt", "kms:GenerateDataKey")


def encryption_key(scope: Construct, environment: str, prefix: str, removal: RemovalPolicy) -> kms.CfnKey:
    """Make the environment's key: rotated each year, usable by our roles and by the services that deliver for us."""
    key = kms.CfnKey(
        scope,
        "Key",
        description=f"modelwright {environment}: data, artifacts, table, messages and logs",
        enable_key_rotation=True,
        key_policy=document(key_statements(prefix)),
        pending_window_in_days=30,
    )
    key.apply_removal_policy(removal)
    accept_found(key, "parliament", _AS_AWS_WRITES_IT)
    return key


def key_statements(prefix: str) -> tuple[Statement, ...]:
    """Return the key's policy; docs/keys.md says of each user of the key why it is here or needs no statement.

    The account's own identity policies decide about roles; services that act by themselves are no roles and need a
    statement each, or an encrypted topic or queue silently gets nothing and a log group cannot be made.
    """
    root = arn("iam", "root", region="")
    return (
        Statement("IdentityPoliciesDecide", ("kms:*",), ("*",), principal={"AWS": root}),
        _alarms(prefix),
        _dead_letters(),
        _topic_to_queues(prefix),
        _log_groups(prefix),
    )


def _alarms(prefix: str) -> Statement:
    """CloudWatch publishes to the encrypted topic, for alarms of this environment.

    https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html#compatibility-with-aws-services
    """
    return _service("AlarmsReachTheTopic", "cloudwatch", arn("cloudwatch", f"alarm:{prefix}-*"))


def _dead_letters() -> Statement:
    """EventBridge sends to the encrypted dead-letter queue.

    For a queue, aws:SourceAccount is supported, and CDK asks it (`@aws-cdk/aws-events:eventsTargetQueueSameAccount`);
    whether aws:SourceArn is then the rule or the queue, the page leaves open, so it is not asked. For a topic,
    EventBridge supports neither (the page on SNS's keys): a rule of your own that publishes to the encrypted topic
    delivers nothing.
    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html
    https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html#compatibility-with-aws-services
    """
    return _service("EventsReachTheDeadLetterQueue", "events")


def _topic_to_queues(prefix: str) -> Statement:
    """SNS sends what the environment's topic got to queues of yours that are under this key.

    The source is the topic, as CDK has it under its flag `@aws-cdk/aws-sns-subscriptions:restrictSqsDescryption`.
    https://docs.aws.amazon.com/sns/latest/dg/sns-enable-encryption-for-topic-sqs-queue-subscriptions.html
    """
    return _service("TheTopicReachesQueues", "sns", arn("sns", f"{prefix}-*"))


def _log_groups(prefix: str) -> Statement:
    """CloudWatch Logs encrypts the environment's log groups: the encryption context is the group's ARN.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
    """
    groups = [arn("logs", f"log-group:{name}-*") for name in (prefix, f"{STATE_MACHINE_LOGS}/{prefix}")]
    return Statement(
        "LogGroupsAreEncrypted",
        ("kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"),
        ("*",),
        {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": groups}},
        principal={"Service": f"logs.{Aws.REGION}.amazonaws.com"},
    )


def _service(sid: str, service: str, *sources: str) -> Statement:
    """Let a service use the key on behalf of this account, or only of the `sources` in it."""
    source = {"ArnLike": {"aws:SourceArn": list(sources)}} if sources else {}
    return Statement(sid, _USE, ("*",), {**ACCOUNT_ONLY, **source}, principal={"Service": f"{service}.amazonaws.com"})
