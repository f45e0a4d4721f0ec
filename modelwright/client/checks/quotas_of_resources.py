"""AWS's limits on single types of resources, each with the page that its numbers are from."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from modelwright.client.checks.documents import as_list
from modelwright.client.checks.templates import definition_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

Limit = tuple[str, str, int, int]
"""Rule, what is counted, how much there is, how much there may be."""
MIB: Final = 1024 * 1024


def nothing(_properties: Mapping[str, Any]) -> Iterator[Limit]:
    """Of a type without limits of its own."""
    return iter(())


def _machine(properties: Mapping[str, Any]) -> Iterator[Limit]:
    """https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html."""
    yield "definition-size", "bytes of definition", len(definition_text(properties).encode()), MIB


def _role(properties: Mapping[str, Any]) -> Iterator[Limit]:
    """White space is not counted: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html."""
    policies = sum(_characters(policy["PolicyDocument"]) for policy in properties.get("Policies", []))
    yield "role-policy-size", "characters of policies inside it", policies, 10_240
    yield "trust-policy-size", "characters of trust policy", _characters(properties["AssumeRolePolicyDocument"]), 2048
    yield "managed-policies", "managed policies", len(properties.get("ManagedPolicyArns", [])), 10
    yield "description", "characters of description", len(properties.get("Description", "")), 1000


def _managed_policy(properties: Mapping[str, Any]) -> Iterator[Limit]:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html."""
    yield "managed-policy-size", "characters of policy", _characters(properties["PolicyDocument"]), 6144


def _key(properties: Mapping[str, Any]) -> Iterator[Limit]:
    """https://docs.aws.amazon.com/kms/latest/developerguide/resource-limits.html (key policy document size)."""
    yield "key-policy-size", "bytes of key policy", _characters(properties["KeyPolicy"]), 32 * 1024


def _bucket_policy(properties: Mapping[str, Any]) -> Iterator[Limit]:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/add-bucket-policy.html (20 KB)."""
    yield "bucket-policy-size", "bytes of bucket policy", _characters(properties["PolicyDocument"]), 20 * 1024


def _queue_policy(properties: Mapping[str, Any]) -> Iterator[Limit]:
    """https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-policies.html."""
    statements = as_list(properties["PolicyDocument"]["Statement"])
    conditions = [key for item in statements for block in item.get("Condition", {}).values() for key in block]
    yield "queue-policy-size", "bytes of queue policy", _characters(properties["PolicyDocument"]), 8192
    yield "queue-policy-statements", "statements in the queue's policy", len(statements), 20
    yield "queue-policy-conditions", "conditions in the queue's policy", len(conditions), 10


def _topic_policy(properties: Mapping[str, Any]) -> Iterator[Limit]:
    """https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-language-api-permissions-reference.html (quotas)."""
    statements = as_list(properties["PolicyDocument"]["Statement"])
    yield "topic-policy-size", "bytes of topic policy", _characters(properties["PolicyDocument"]), 30 * 1024
    yield "topic-policy-statements", "statements in the topic's policy", len(statements), 100


def _function(properties: Mapping[str, Any]) -> Iterator[Limit]:
    """https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html."""
    variables = properties.get("Environment", {}).get("Variables", {})
    yield "environment-size", "bytes of environment variables", _characters(variables), 4096
    yield "timeout", "seconds of timeout", int(properties.get("Timeout", 3)), 900
    yield "memory", "MiB of memory", int(properties.get("MemorySize", 128)), 10_240
    yield "storage", "MiB of storage", int(properties.get("EphemeralStorage", {}).get("Size", 512)), 10_240


def _rule(properties: Mapping[str, Any]) -> Iterator[Limit]:
    """https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html, API_InputTransformer.html."""
    targets = properties.get("Targets", [])
    yield "pattern-size", "characters of event pattern", _characters(properties.get("EventPattern", "")), 2048
    yield "targets", "targets", len(targets), 5
    for target in targets:
        transformer = target.get("InputTransformer", {})
        yield "input-template", "characters of input template", len(transformer.get("InputTemplate", "")), 8192
        yield "input-paths", "input paths", len(transformer.get("InputPathsMap", {})), 100


def _dashboard(properties: Mapping[str, Any]) -> Iterator[Limit]:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html."""
    widgets = json.loads(properties["DashboardBody"])["widgets"]
    metrics = [len(widget["properties"].get("metrics", [])) for widget in widgets]
    yield "dashboard-widgets", "widgets", len(widgets), 500
    yield "dashboard-metrics", "metrics", sum(metrics), 2500
    yield "widget-metrics", "metrics in one widget", max(metrics, default=0), 500


def _alarm(properties: Mapping[str, Any]) -> Iterator[Limit]:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html.

    How far it looks back: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
    """
    measured = [item for item in properties.get("Metrics", []) if "MetricStat" in item]
    period = int(properties.get("Period") or max((item["MetricStat"]["Period"] for item in measured), default=0))
    longest = 7 * 86_400 if period >= 3600 else 86_400
    yield "alarm-metrics", "metrics", len(measured), 10
    yield "alarm-actions", "actions", len(properties.get("AlarmActions", [])), 5
    yield "alarm-span", "seconds that it looks back", period * int(properties["EvaluationPeriods"]), longest
    yield "description", "characters of description", len(properties.get("AlarmDescription", "")), 1024


LIMITS: Final[Mapping[str, Callable[[Mapping[str, Any]], Iterator[Limit]]]] = {
    "AWS::CloudWatch::Alarm": _alarm,
    "AWS::CloudWatch::Dashboard": _dashboard,
    "AWS::Events::Rule": _rule,
    "AWS::IAM::ManagedPolicy": _managed_policy,
    "AWS::IAM::Role": _role,
    "AWS::KMS::Key": _key,
    "AWS::Lambda::Function": _function,
    "AWS::S3::BucketPolicy": _bucket_policy,
    "AWS::SNS::TopicPolicy": _topic_policy,
    "AWS::SQS::QueuePolicy": _queue_policy,
    "AWS::StepFunctions::StateMachine": _machine,
}


def _characters(value: Any) -> int:
    return len(json.dumps(value, separators=(",", ":")).encode())
