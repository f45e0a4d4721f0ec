"""What tells people and what keeps undelivered events: the topic and the dead-letter queue."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs

from stacks.constructs.encryption_key import NO_KEY
from stacks.policies import ACCOUNT_ONLY, Statement, arn, document, tls_only
from stacks.policy_checks import accept, accept_all, accept_checkov

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aws_cdk import RemovalPolicy
    from constructs import Construct

FOURTEEN_DAYS_SECONDS = 14 * 24 * 3600
"""The longest that SQS keeps a message."""

_OLD_NEWS = "a mail that no server took for six hours is old news; runs and alarms are still to be seen where they are"
"""https://docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html"""


def topic(scope: Construct, prefix: str, key_arn: str | None, emails: Iterable[str]) -> sns.CfnTopic:
    """Make the topic that runs and alarms are announced on, with a subscription for each address.

    Encrypted with the key, or not at all: alarms cannot publish to a topic under SNS's own key (alias/aws/sns).
    https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html#compatibility-with-aws-services
    """
    made = sns.CfnTopic(scope, "Topic", kms_master_key_id=key_arn)
    if key_arn is None:
        accept(made, "NIST.800.53.R5-SNSEncryptedKMS", NO_KEY)
        accept_checkov(made, {"CKV_AWS_26": f"{NO_KEY}; alarms cannot publish under SNS's"})
    alarms = {**ACCOUNT_ONLY, "ArnLike": {"aws:SourceArn": arn("cloudwatch", f"alarm:{prefix}-*")}}
    statements = (
        tls_only("sns:Publish", made.ref),
        Statement("Alarms", ("sns:Publish",), (made.ref,), alarms, principal={"Service": "cloudwatch.amazonaws.com"}),
    )
    sns.CfnTopicPolicy(scope, "TopicPolicy", topics=[made.ref], policy_document=document(statements))
    for address in sorted(emails):
        told = sns.CfnSubscription(scope, _of(address), topic_arn=made.ref, protocol="email", endpoint=address)
        accept(told, "Serverless-SNSRedrivePolicy", _OLD_NEWS)
    return made


def _of(address: str) -> str:
    """The logical id of an address's subscription, whoever else is told.

    Numbered, they would move up when one goes: CloudFormation subscribes the address again, which SNS answers with the
    subscription that it has, and then removes that very one as the last number's.
    https://github.com/go-to-k/cdkd/issues/1967 (what Subscribe answers, measured)
    """
    return f"Email{hashlib.sha256(address.encode()).hexdigest()[:12]}"


def dead_letter_queue(scope: Construct, prefix: str, key_arn: str | None, removal: RemovalPolicy) -> sqs.CfnQueue:
    """Make the queue of the events that no rule could deliver; kept as long as SQS keeps anything.

    Encrypted with the key, or with SQS's own (SSE-SQS), which asks nobody's consent.
    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-server-side-encryption.html
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
    """
    queue = sqs.CfnQueue(
        scope,
        "DeadLetterQueue",
        kms_master_key_id=key_arn,
        sqs_managed_sse_enabled=None if key_arn else True,
        message_retention_period=FOURTEEN_DAYS_SECONDS,
        visibility_timeout=60,
    )
    queue.apply_removal_policy(removal)
    _accept(queue, key_arn)
    policy = document((tls_only("sqs:*", queue.attr_arn), _from_rules(queue, prefix)))
    sqs.CfnQueuePolicy(scope, "DeadLetterQueuePolicy", queues=[queue.ref], policy_document=policy)
    return queue


def _accept(queue: sqs.CfnQueue, key_arn: str | None) -> None:
    if key_arn is None:
        accept_checkov(queue, {"CKV_AWS_27": f"{NO_KEY}: SSE-SQS, which checkov does not know"})
    last = "it is the dead-letter queue of the rules; nothing reads it but a person"
    accept_all(queue, {"AwsSolutions-SQS3": last, "Serverless-SQSRedrivePolicy": last})


def _from_rules(queue: sqs.CfnQueue, prefix: str) -> Statement:
    """The environment's rules, on the default bus and on our own, may send what they could not deliver."""
    rules = [arn("events", f"rule/{prefix}-*"), arn("events", f"rule/{prefix}/{prefix}-*")]
    return Statement(
        "UndeliveredEvents",
        ("sqs:SendMessage",),
        (queue.attr_arn,),
        {**ACCOUNT_ONLY, "ArnLike": {"aws:SourceArn": rules}},
        principal={"Service": "events.amazonaws.com"},
    )
