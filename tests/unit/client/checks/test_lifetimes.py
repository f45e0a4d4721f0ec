"""What must not be lost is kept, protected, and in no stack that is meant to go."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from modelwright.client.checks.lifetimes import PRECIOUS, REMADE, check_lifetimes
from modelwright.client.checks.report import Collector
from modelwright.client.checks.templates import Template
from modelwright.config.environment import EnvironmentSettings

KEEP = EnvironmentSettings("dev", "eu-central-1")
DESTROY = EnvironmentSettings("dev", "eu-central-1", removal="destroy")
RIGHT = {"DeletionPolicy": "RetainExceptOnCreate", "UpdateReplacePolicy": "Retain"}
MACHINE = {"Type": "AWS::StepFunctions::StateMachine"}


def kept(type_: str, **changes: Any) -> dict[str, Any]:
    return {"Type": type_, "Properties": {"DeletionProtectionEnabled": True}, **RIGHT, **changes}


def check(
    resources: dict[str, Any], settings: EnvironmentSettings = KEEP, *, protected: bool = True
) -> list[tuple[str, str]]:
    collector = Collector()
    check_lifetimes([Template("x", Path("x.json"), {"Resources": resources}, protected)], settings, collector)
    return [(item.id, item.where) for item in collector.findings]


@pytest.mark.parametrize("type_", sorted(PRECIOUS))
def test_what_is_kept_and_protected_passes(type_: str) -> None:
    assert check({"R": kept(type_), "Topic": {"Type": "AWS::SNS::Topic"}}) == []


@pytest.mark.parametrize("type_", sorted(PRECIOUS))
@pytest.mark.parametrize("policy", [None, "Delete", "Snapshot"])
def test_what_goes_with_its_stack_is_found(type_: str, policy: str | None) -> None:
    resource = kept(type_, DeletionPolicy=policy) if policy else {**kept(type_)}
    if policy is None:
        del resource["DeletionPolicy"]
    assert check({"R": resource}) == [("deletion", "x/R")]


def test_what_an_update_may_replace_and_delete_is_found() -> None:
    assert check({"R": kept("AWS::S3::Bucket", UpdateReplacePolicy="Delete")}) == [("replacement", "x/R")]


def test_a_table_that_one_call_deletes_is_found() -> None:
    assert check({"R": kept("AWS::DynamoDB::Table", Properties={})}) == [("protection", "x/R")]


def test_a_stack_that_one_call_deletes_is_found() -> None:
    assert check({"R": kept("AWS::S3::Bucket")}, protected=False) == [("termination", "x")]
    assert check({"Topic": {"Type": "AWS::SNS::Topic"}}, protected=False) == []


@pytest.mark.parametrize("settings", [KEEP, DESTROY])
def test_nothing_precious_is_in_a_pipelines_stack(settings: EnvironmentSettings) -> None:
    assert check({"R": kept("AWS::S3::Bucket"), "M": MACHINE}, settings, protected=False) == [("place", "x/R")]


def test_an_environment_that_keeps_nothing_may_lose_everything() -> None:
    assert check({"R": {"Type": "AWS::S3::Bucket"}}, DESTROY, protected=False) == []


def test_a_type_that_nobody_has_decided_about_is_found() -> None:
    assert check({"Files": {"Type": "AWS::EFS::FileSystem"}}, DESTROY) == [("undecided", "x/Files")]
    assert check({name: {"Type": type_} for name, type_ in zip("abc", sorted(REMADE)[:3], strict=True)}) == []
    assert not PRECIOUS & REMADE


def test_what_cfn_lint_knows_to_hold_state_is_not_taken_for_remade() -> None:
    """https://github.com/aws-cloudformation/cfn-lint/blob/main/docs/rules.md (I3011)"""
    text = (files("cfnlint.data.AdditionalSpecs") / "StatefulResources.json").read_text("utf-8")
    assert REMADE & set(json.loads(text)["ResourceTypes"]) == {"AWS::Logs::LogGroup"}
