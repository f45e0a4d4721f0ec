"""The one key that everything at rest is encrypted with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Aws
from aws_cdk import aws_kms as kms

from stacks.policies import ACCOUNT_ONLY, Statement, arn, document

if TYPE_CHECKING:
    from aws_cdk import RemovalPolicy
    from constructs import Construct

_USE = ("kms:Decrypt", "kms:GenerateDataKey")


def encryption_key(scope: Construct, environment: str, removal: RemovalPolicy) -> kms.CfnKey:
    """Make the environment's key: rotated each year, usable by our roles and by the services that deliver for us."""
    key = kms.CfnKey(
        scope,
        "Key",
        description=f"modelwright {environment}: data, artifacts, table, messages and logs",
        enable_key_rotation=True,
        key_policy=document(key_statements()),
        pending_window_in_days=30,
    )
    key.apply_removal_policy(removal)
    return key


def key_statements() -> tuple[Statement, ...]:
    """Return the key's policy.

    The account's own identity policies decide about roles; services that act by themselves are no roles and need a
    statement each, or an encrypted topic, queue or log group silently gets nothing:
    https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html#compatibility-with-aws-services
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
    """
    root = arn("iam", "root", region="")
    return (
        Statement("IdentityPoliciesDecide", ("kms:*",), ("*",), principal={"AWS": root}),
        _service("AlarmsReachTheTopic", "cloudwatch.amazonaws.com"),
        _service("EventsReachTheDeadLetterQueue", "events.amazonaws.com"),
        _service("TheTopicReachesQueues", "sns.amazonaws.com"),
        Statement(
            "LogGroupsAreEncrypted",
            ("kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"),
            ("*",),
            {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": arn("logs", "log-group:*")}},
            principal={"Service": f"logs.{Aws.REGION}.amazonaws.com"},
        ),
    )


def _service(sid: str, principal: str) -> Statement:
    return Statement(sid, _USE, ("*",), ACCOUNT_ONLY, principal={"Service": principal})
