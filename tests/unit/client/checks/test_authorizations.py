"""Each action exists in AWS's reference and is about the resources beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from modelwright.client.checks.authorizations import check_authorizations
from modelwright.client.checks.report import Collector
from modelwright.client.checks.templates import Template

OBJECTS = "arn:aws:s3:::bucket/*"
BUCKET = "arn:aws:s3:::bucket"


def check(statement: dict[str, Any], metadata: dict[str, Any] | None = None) -> Collector:
    policy = {"PolicyName": "P", "PolicyDocument": {"Statement": [{"Sid": "S", "Effect": "Allow", **statement}]}}
    trust = {"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "x"}}]}
    properties = {"AssumeRolePolicyDocument": trust, "Policies": [policy]}
    role = {"Type": "AWS::IAM::Role", "Properties": properties, "Metadata": {"modelwright": metadata or {}}}
    collector = Collector()
    check_authorizations([Template("x", Path("x.json"), {"Resources": {"Role": role}})], collector)
    return collector


@pytest.mark.parametrize(
    "statement",
    [
        {"Action": ["s3:GetObject", "s3:ListBucket"], "Resource": [BUCKET, OBJECTS]},
        {"Action": "cloudwatch:PutMetricData", "Resource": "*"},
        {"Action": "xray:PutTraceSegments", "Resource": "*"},
        {
            "Action": "sagemaker:CreateTrainingJob",
            "Resource": "arn:aws:sagemaker:eu-west-1:123456789012:training-job/a-????-*",
        },
        {"Effect": "Deny", "NotAction": ["s3:GetObject"], "Resource": OBJECTS},
    ],
)
def test_a_right_statement_passes(statement: dict[str, Any]) -> None:
    assert check(statement).findings == []


@pytest.mark.parametrize(
    ("statement", "rule", "message"),
    [
        ({"Action": "s3:GetObjekt", "Resource": OBJECTS}, "action[S/s3:GetObjekt]", "AWS has no action s3:GetObjekt."),
        ({"Action": "nonsense:Get", "Resource": "*"}, "action[S/nonsense:Get]", "AWS has no action"),
        ({"Action": "s3:GetObject", "Resource": BUCKET}, "resource[S/s3:GetObject]", "s3:GetObject is about resources"),
        (
            {"Action": "xray:PutTraceSegments", "Resource": "arn:aws:xray:eu-west-1:123456789012:group/a"},
            "resource[S/xray:PutTraceSegments]",
            "* alone: it knows no resource",
        ),
        (
            {"Action": "s3:GetObject", "Resource": [OBJECTS, "arn:aws:sqs:eu-west-1:123456789012:queue"]},
            "unused[S/queue]",
            "none of s3:GetObject is about arn:aws:sqs:eu-west-1:123456789012:queue.",
        ),
        ({"NotAction": ["s3:GetObject"], "Resource": OBJECTS}, "not-action[S]", "allows whatever it does not name"),
        (
            {"Effect": "Deny", "NotAction": "s3:GetObjekt", "Resource": OBJECTS},
            "action[S/s3:GetObjekt]",
            "AWS has no action",
        ),
    ],
)
def test_a_wrong_statement_is_found(statement: dict[str, Any], rule: str, message: str) -> None:
    finding = next(item for item in check(statement).findings if item.id == rule)
    assert finding.tool == "authorizations"
    assert finding.where == "x/Role"
    assert message in finding.message


def test_an_acceptance_holds_for_one_statement_and_a_stale_one_is_found() -> None:
    accepted = {"resource[S/s3:GetObject]": "the reference lags", "action[S/s3:Gone]": "no longer there"}
    statement = {"Action": "s3:GetObject", "Resource": BUCKET}
    collector = check(statement, {"authorizations": accepted})
    assert {item.id for item in collector.findings} == {"unused[S/bucket]", "action[S/s3:Gone]"}
    assert [item.id for item in collector.accepted] == ["resource[S/s3:GetObject]"]


def test_a_trust_policy_is_about_taking_the_role_only() -> None:
    trust = {"Statement": [{"Sid": "T", "Effect": "Allow", "Action": "s3:GetObject", "Principal": {"Service": "x"}}]}
    role = {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": trust}}
    collector = Collector()
    check_authorizations([Template("x", Path("x.json"), {"Resources": {"Role": role}})], collector)
    assert [item.id for item in collector.findings] == ["action[T/s3:GetObject]"]
