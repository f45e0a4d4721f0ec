"""parliament itself, on policies that are wrong on purpose."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from modelwright.client.checks.parliament import check_parliament
from modelwright.client.checks.programs import ensure_environment
from modelwright.client.checks.report import Collector
from modelwright.client.checks.templates import Template

OBJECTS = "arn:aws:s3:::bucket/*"
READ = {"Sid": "Read", "Effect": "Allow", "Action": ["s3:GetObject"], "Resource": OBJECTS}
TAKE = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}


@pytest.fixture(scope="module")
def python() -> Path:
    return ensure_environment(Path(__file__).parents[2])


def role(*statements: dict[str, Any], trust: dict[str, Any] = TAKE, **metadata: Any) -> dict[str, Any]:
    policy = {"PolicyName": "P", "PolicyDocument": {"Version": "2012-10-17", "Statement": list(statements)}}
    trusted = {"Version": "2012-10-17", "Statement": [trust]}
    properties = {"AssumeRolePolicyDocument": trusted, "Policies": [policy]}
    return {"Type": "AWS::IAM::Role", "Properties": properties, "Metadata": {"modelwright": metadata}}


def check(python: Path, **resources: dict[str, Any]) -> Collector:
    collector = Collector()
    check_parliament(python, [Template("x", Path("x.json"), {"Resources": resources})], collector)
    return collector


def test_right_policies_pass(python: Path) -> None:
    own = {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*", "Principal": {"Service": "a.amazonaws.com"}}
    document = {"Version": "2012-10-17", "Statement": [own]}
    key = {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": document}}
    assert check(python, Role=role(READ), Key=key).findings == []


def test_each_fault_is_found_by_its_rule_on_its_statement(python: Path) -> None:
    """One run for all of them: loading parliament's data takes most of it."""
    condition = {"StringEquals": {"s3:prefix": "a"}}
    bucket_policy = {"Statement": [{**READ, "Principal": {"AWS": "not-an-account"}}], "Version": "2012-10-17"}
    collector = check(
        python,
        Unknown=role({**READ, "Action": ["s3:GetObjekt", "s3:PutObject"]}),
        Mismatch=role({**READ, "Resource": "arn:aws:s3:::bucket"}),
        Star=role({**READ, "Resource": "*"}),
        Condition=role({**READ, "Condition": condition}),
        Operator=role({**READ, "Condition": {"StringSame": {"aws:SourceAccount": "1"}}}),
        Type=role({**READ, "Condition": {"Bool": {"aws:SecureTransport": "sometimes"}}}),
        Twice=role(READ, READ),
        Trust=role(READ, trust={**TAKE, "Principal": {"Somebody": "x"}}),
        Bucket={"Type": "AWS::S3::BucketPolicy", "Properties": {"PolicyDocument": bucket_policy}},
    )
    found = {(item.where, item.id) for item in collector.findings}
    assert found == {
        ("x/Unknown", "UNKNOWN_ACTION[Read/s3:GetObjekt]"),
        ("x/Mismatch", "RESOURCE_MISMATCH[Read/s3:GetObject]"),
        ("x/Star", "RESOURCE_STAR[Read/s3:GetObject]"),
        ("x/Condition", "UNKNOWN_CONDITION_FOR_ACTION[Read/s3:GetObject]"),
        ("x/Operator", "UNKNOWN_OPERATOR[Read/s3:GetObject]"),
        ("x/Type", "MISMATCHED_TYPE_OPERATION_TO_NULL[Read/s3:GetObject]"),
        ("x/Twice", "DUPLICATE_SID[Policies.0.PolicyDocument]"),
        ("x/Trust", "UNKNOWN_PRINCIPAL[AssumeRolePolicyDocument.0/sts:AssumeRole]"),
        ("x/Bucket", "UNKNOWN_PRINCIPAL[Read/s3:GetObject]"),
    }


def test_what_is_accepted_is_counted_and_what_is_accepted_in_vain_is_found(python: Path) -> None:
    reasons = {"RESOURCE_STAR[Read/s3:GetObject]": "any bucket", "UNKNOWN_ACTION[Read/s3:Gone]": "newer than its data"}
    collector = check(python, Star=role({**READ, "Resource": "*"}, parliament=reasons))
    assert [item.id for item in collector.accepted] == ["RESOURCE_STAR[Read/s3:GetObject]"]
    assert [item.id for item in collector.findings] == ["UNKNOWN_ACTION[Read/s3:Gone]"]
