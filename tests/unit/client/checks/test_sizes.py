"""What AWS limits of a template, its policies and names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from checked_templates import machine, template

from modelwright.client.checks.quotas import check_quotas
from modelwright.client.checks.report import Collector
from modelwright.client.checks.templates import Template, sample

if TYPE_CHECKING:
    from pathlib import Path


def role(statements: int) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": {"Fn::Join": ["", ["arn:", {"Ref": "X"}]]}}
    policy = {"PolicyName": "P", "PolicyDocument": {"Version": "2012-10-17", "Statement": [statement] * statements}}
    return {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {}, "Policies": [policy]}}


def found_by_quotas(found: Template) -> list[tuple[str, str]]:
    collector = Collector()
    check_quotas([found], collector)
    return [(finding.id, finding.where) for finding in collector.findings]


def test_a_small_template_is_within_the_quotas(tmp_path: Path) -> None:
    resources = {"Role": role(3), "Machine": machine({"A": {"Type": "Succeed"}})}
    assert found_by_quotas(template(tmp_path, resources)) == []


def test_too_many_resources(tmp_path: Path) -> None:
    topics = {f"Topic{number}": {"Type": "AWS::SNS::Topic"} for number in range(501)}
    assert found_by_quotas(template(tmp_path, topics)) == [("resources-count", "mw-dev-x")]


def test_too_large_a_template_and_its_definition(tmp_path: Path) -> None:
    states = {"A": {"Type": "Succeed", "Comment": "c" * 1024 * 1024}}
    found = found_by_quotas(template(tmp_path, {"Machine": machine(states)}))
    assert found == [("template-size", "mw-dev-x"), ("definition-size", "mw-dev-x/Machine")]


def test_too_long_a_policy(tmp_path: Path) -> None:
    assert found_by_quotas(template(tmp_path, {"Role": role(100)})) == [("role-policy-size", "mw-dev-x/Role")]


def test_too_long_a_name(tmp_path: Path) -> None:
    group = {"Type": "AWS::SageMaker::ModelPackageGroup", "Properties": {"ModelPackageGroupName": "m" * 64}}
    assert found_by_quotas(template(tmp_path, {"Group": group})) == [("name-length", "mw-dev-x/Group")]


def test_samples_stand_for_what_only_a_deployment_knows() -> None:
    value = {"a": [{"Fn::Join": ["-", ["x", {"Ref": "AWS::Partition"}]]}, {"Fn::Sub": "${AWS::AccountId}/b"}], "c": 1}
    assert sample(value) == {"a": ["x-aws", "123456789012/b"], "c": 1}
