"""AWS's limits: what is at the limit passes, one more is found."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from modelwright.client.checks.quotas import check_quotas
from modelwright.client.checks.report import Collector
from modelwright.client.checks.templates import Template

if TYPE_CHECKING:
    from pathlib import Path


def check(folder: Path, resources: dict[str, Any], stack: str = "mw-dev-x", **more: Any) -> Collector:
    body = {"Resources": resources, **more}
    path = folder / "x.json"
    path.write_text(json.dumps(body))
    collector = Collector()
    check_quotas([Template(stack, path, body)], collector)
    return collector


def ids(folder: Path, type_: str, **properties: Any) -> list[str]:
    return [item.id for item in check(folder, {"R": {"Type": type_, "Properties": properties}}).findings]


def document(characters: int = 0, statements: int = 1, conditions: int = 0) -> dict[str, Any]:
    """A policy whose JSON without spaces has this many characters, or as few as it can."""
    condition = {"StringEquals": {f"aws:k{number}": "v" for number in range(conditions)}}
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "", "Condition": condition}
    made: dict[str, Any] = {"Statement": [dict(statement) for _ in range(statements)]}
    missing = characters - len(json.dumps(made, separators=(",", ":")))
    made["Statement"][0]["Resource"] = "x" * max(missing, 0)
    return made


def role(characters: int) -> dict[str, Any]:
    halves = [document(characters // 2), document(characters - characters // 2)]
    return {
        "AssumeRolePolicyDocument": document(),
        "Policies": [{"PolicyName": f"P{number}", "PolicyDocument": half} for number, half in enumerate(halves)],
    }


def dashboard(widgets: int, metrics: int = 1) -> dict[str, Any]:
    one = {"type": "metric", "properties": {"metrics": [["A", "B"]] * metrics}}
    return {"DashboardBody": json.dumps({"widgets": [one] * widgets})}


def alarm(period: int, periods: int, actions: int = 1, metrics: int = 0) -> dict[str, Any]:
    queries = [{"Id": f"m{number}", "MetricStat": {"Period": period}} for number in range(metrics)]
    return {"Period": period, "EvaluationPeriods": periods, "AlarmActions": ["a"] * actions, "Metrics": queries}


def target(template: int, paths: int = 1) -> dict[str, Any]:
    given = {"InputTemplate": "t" * template, "InputPathsMap": {f"p{number}": "$.a" for number in range(paths)}}
    return {"Targets": [{"InputTransformer": given}]}


POLICY = "AWS::IAM::ManagedPolicy"
LIMITS: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = [
    ("role-policy-size", "AWS::IAM::Role", role(10_240), role(10_241)),
    (
        "trust-policy-size",
        "AWS::IAM::Role",
        {"AssumeRolePolicyDocument": document(2048)},
        {"AssumeRolePolicyDocument": document(2049)},
    ),
    (
        "managed-policies",
        "AWS::IAM::Role",
        {"AssumeRolePolicyDocument": document(), "ManagedPolicyArns": ["a"] * 10},
        {"AssumeRolePolicyDocument": document(), "ManagedPolicyArns": ["a"] * 11},
    ),
    ("managed-policy-size", POLICY, {"PolicyDocument": document(6144)}, {"PolicyDocument": document(6145)}),
    ("key-policy-size", "AWS::KMS::Key", {"KeyPolicy": document(32_768)}, {"KeyPolicy": document(32_769)}),
    (
        "bucket-policy-size",
        "AWS::S3::BucketPolicy",
        {"PolicyDocument": document(20_480)},
        {"PolicyDocument": document(20_481)},
    ),
    (
        "queue-policy-size",
        "AWS::SQS::QueuePolicy",
        {"PolicyDocument": document(8192)},
        {"PolicyDocument": document(8193)},
    ),
    (
        "queue-policy-statements",
        "AWS::SQS::QueuePolicy",
        {"PolicyDocument": document(statements=20)},
        {"PolicyDocument": document(statements=21)},
    ),
    (
        "queue-policy-conditions",
        "AWS::SQS::QueuePolicy",
        {"PolicyDocument": document(conditions=10)},
        {"PolicyDocument": document(conditions=11)},
    ),
    (
        "topic-policy-size",
        "AWS::SNS::TopicPolicy",
        {"PolicyDocument": document(30_720)},
        {"PolicyDocument": document(30_721)},
    ),
    (
        "topic-policy-statements",
        "AWS::SNS::TopicPolicy",
        {"PolicyDocument": document(statements=100)},
        {"PolicyDocument": document(statements=101)},
    ),
    (
        "environment-size",
        "AWS::Lambda::Function",
        {"Environment": {"Variables": {"A": "x" * 4088}}},
        {"Environment": {"Variables": {"A": "x" * 4089}}},
    ),
    ("timeout", "AWS::Lambda::Function", {"Timeout": 900}, {"Timeout": 901}),
    ("memory", "AWS::Lambda::Function", {"MemorySize": 10_240}, {"MemorySize": 10_241}),
    (
        "storage",
        "AWS::Lambda::Function",
        {"EphemeralStorage": {"Size": 10_240}},
        {"EphemeralStorage": {"Size": 10_241}},
    ),
    ("pattern-size", "AWS::Events::Rule", {"EventPattern": "p" * 2046}, {"EventPattern": "p" * 2047}),
    ("targets", "AWS::Events::Rule", {"Targets": [{}] * 5}, {"Targets": [{}] * 6}),
    ("input-template", "AWS::Events::Rule", target(8192), target(8193)),
    ("input-paths", "AWS::Events::Rule", target(1, 100), target(1, 101)),
    ("dashboard-widgets", "AWS::CloudWatch::Dashboard", dashboard(500), dashboard(501)),
    ("dashboard-metrics", "AWS::CloudWatch::Dashboard", dashboard(5, 500), dashboard(6, 417)),
    ("widget-metrics", "AWS::CloudWatch::Dashboard", dashboard(1, 500), dashboard(1, 501)),
    ("alarm-metrics", "AWS::CloudWatch::Alarm", alarm(60, 1, metrics=10), alarm(60, 1, metrics=11)),
    ("alarm-actions", "AWS::CloudWatch::Alarm", alarm(60, 1, actions=5), alarm(60, 1, actions=6)),
    ("alarm-span", "AWS::CloudWatch::Alarm", alarm(86_400, 7), alarm(86_400, 8)),
    ("alarm-span", "AWS::CloudWatch::Alarm", alarm(60, 1440), alarm(60, 1441)),
    ("name-length", "AWS::SQS::Queue", {"QueueName": "q" * 80}, {"QueueName": "q" * 81}),
    (
        "tags",
        "AWS::SNS::Topic",
        {"Tags": [{"Key": str(number)} for number in range(50)]},
        {"Tags": [{"Key": str(number)} for number in range(51)]},
    ),
]


@pytest.mark.parametrize(("rule", "type_", "most", "too_much"), LIMITS)
def test_the_limit_passes_and_one_more_is_found(
    tmp_path: Path, rule: str, type_: str, most: dict[str, Any], too_much: dict[str, Any]
) -> None:
    assert ids(tmp_path, type_, **most) == []
    assert ids(tmp_path, type_, **too_much) == [rule]


@pytest.mark.parametrize(("section", "limit"), [("Parameters", 200), ("Outputs", 200), ("Mappings", 200)])
def test_entries_of_a_template_are_counted(tmp_path: Path, section: str, limit: int) -> None:
    for count, expected in ((limit, []), (limit + 1, [f"{section.lower()}-count"])):
        entries: dict[str, Any] = {f"N{number}": {} for number in range(count)}
        assert [item.id for item in check(tmp_path, {}, **{section: entries}).findings] == expected


def test_names_and_the_description_of_a_template_are_measured(tmp_path: Path) -> None:
    topic = {"Type": "AWS::SNS::Topic"}
    assert check(tmp_path, {"T" * 255: topic}, "s" * 128, Description="d" * 1024).findings == []
    found = check(tmp_path, {"T" * 256: topic}, "s" * 129, Description="d" * 1025).findings
    assert sorted(item.id for item in found) == ["description", "logical-id", "stack-name"]


def test_what_was_measured_is_told(tmp_path: Path) -> None:
    measures = [str(item) for item in check(tmp_path, {"T": {"Type": "AWS::SNS::Topic"}}).measures]
    size = (tmp_path / "x.json").stat().st_size
    assert measures == [
        f"mw-dev-x: nearest limit (template-size): {size} of 1,048,576 bytes of template",
        f"mw-dev-x: template: {size} of 1,048,576 bytes",
        "mw-dev-x: template: 1 of 500 resources",
    ]


def test_a_quota_that_was_raised_is_accepted_on_its_resource(tmp_path: Path) -> None:
    metadata = {"modelwright": {"quotas": {"targets": "raised for this account"}}}
    rule = {"Type": "AWS::Events::Rule", "Properties": {"Targets": [{}] * 6}, "Metadata": metadata}
    collector = check(tmp_path, {"R": rule})
    assert collector.findings == []
    assert [item.reason for item in collector.accepted] == ["raised for this account"]
