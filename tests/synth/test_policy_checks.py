"""A wildcard needs a reason, an acceptance needs the finding's exact id, and what nobody accepted is found."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs

from modelwright.client.checks import policies
from modelwright.client.checks.acceptances import METADATA
from modelwright.client.checks.policies import PACKS
from stacks import policy_checks
from stacks.constructs.roles import JOBS, function_role, job_role
from stacks.policies import Statement, bucket_arn, document, objects
from stacks.policy_checks import SWITCH, accept, accept_found, check_policies

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_a_wildcard_without_a_reason_is_refused() -> None:
    with pytest.raises(ValueError, match=r"Read: .*x.* is a wildcard without a reason"):
        Statement("Read", ("s3:GetObject",), ("arn:aws:s3:::x/*",))


def test_a_wildcard_with_a_reason_is_taken() -> None:
    statement = Statement("Read", ("s3:GetObject",), ("arn:aws:s3:::x/*",), why="objects are named by content")
    assert statement.wildcards == ("arn:aws:s3:::x/*",)
    assert "why" not in json.dumps(statement.to_json()).lower()


def test_a_wildcard_in_an_action_is_refused_whatever_the_reason() -> None:
    with pytest.raises(ValueError, match="hold a wildcard; write them out"):
        Statement("Read", ("s3:Get*",), ("arn:aws:s3:::x/y",), why="it is convenient")


def test_named_resources_need_no_reason() -> None:
    assert Statement("Read", ("s3:GetObject",), ("arn:aws:s3:::x/y",)).wildcards == ()


def test_a_resources_own_policy_says_star_for_itself() -> None:
    statement = Statement("All", ("kms:*",), ("*",), principal={"AWS": "arn:aws:iam::123456789012:root"})
    assert document([statement])["Statement"][0]["Resource"] == "*"


def violations(tmp_path: Path, build: Callable[[Stack], None], *, switched_on: bool = True) -> set[tuple[str, str]]:
    """What the policy checks say of a stack: rule and construct."""
    app = App(
        analytics_reporting=False,
        outdir=str(tmp_path),
        context={SWITCH: True} if switched_on else {},
        builtin_cloud_formation_validation=False,
    )
    build(Stack(app, "x"))
    check_policies(app)
    try:
        app.synth()
    except RuntimeError as error:
        assert "ValidationFailed" in str(error)  # noqa: PT017 # only a part of the calls raises
    report = tmp_path / "validation-report.json"
    found = json.loads(report.read_text("utf-8"))["pluginReports"] if report.is_file() else []
    return {
        (violation["ruleName"], construct["constructPath"])
        for plugin in found
        if plugin["pluginName"] in PACKS
        for violation in plugin["violations"]
        for construct in violation["violatingConstructs"]
    }


def test_what_nobody_accepted_is_found(tmp_path: Path) -> None:
    found = violations(tmp_path, lambda stack: s3.CfnBucket(stack, "Open") and None)
    assert ("AwsSolutions-S1", "x/Open") in found


def test_each_pack_finds_its_own(tmp_path: Path) -> None:
    found = violations(tmp_path, lambda stack: s3.CfnBucket(stack, "Open") and sqs.CfnQueue(stack, "Queue") and None)
    assert {
        ("NIST.800.53.R5-S3BucketReplicationEnabled", "x/Open"),
        ("Serverless-SQSRedrivePolicy", "x/Queue"),
    } <= found


def test_an_acceptance_is_noted_where_it_holds_and_beside_those_of_other_tools(tmp_path: Path) -> None:
    app = App(outdir=str(tmp_path), context={SWITCH: True}, builtin_cloud_formation_validation=False)
    queue = sqs.CfnQueue(Stack(app, "x"), "Mine")
    accept(queue, "AwsSolutions-SQS3", "it is a dead-letter queue")
    accept(queue, "Serverless-SQSRedrivePolicy", "it is the last one")
    accept_found(queue, "parliament", {"RESOURCE_STAR[All]": "the action knows no resource"})
    assert queue.get_metadata("modelwright") == {
        "cdk-nag": {
            "AwsSolutions-SQS3": "it is a dead-letter queue",
            "Serverless-SQSRedrivePolicy": "it is the last one",
        },
        "parliament": {"RESOURCE_STAR[All]": "the action knows no resource"},
    }


def test_what_writes_acceptances_and_what_reads_them_mean_the_same() -> None:
    assert policy_checks._METADATA == METADATA
    assert set(policy_checks._PACKS) == set(PACKS)
    assert policy_checks.SWITCH == policies.SWITCH


def test_a_rule_of_no_pack_cannot_be_accepted(tmp_path: Path) -> None:
    app = App(outdir=str(tmp_path), context={SWITCH: True}, builtin_cloud_formation_validation=False)
    with pytest.raises(
        ValueError, match=r"HIPAA\.Security-S3 is no rule of AwsSolutions, NIST\.800\.53\.R5, Serverless"
    ):
        accept(sqs.CfnQueue(Stack(app, "x"), "Mine"), "HIPAA.Security-S3", "no reason")


def test_nothing_is_looked_at_when_switched_off(tmp_path: Path) -> None:
    assert violations(tmp_path, lambda stack: s3.CfnBucket(stack, "Open") and None, switched_on=False) == set()


def test_an_acceptance_holds_for_its_id_on_its_resource_only(tmp_path: Path) -> None:
    def build(stack: Stack) -> None:
        mine, other = sqs.CfnQueue(stack, "Mine"), sqs.CfnQueue(stack, "Other")
        accept(mine, "AwsSolutions-SQS3", "it is a dead-letter queue")
        assert other is not mine

    found = violations(tmp_path, build)
    assert ("AwsSolutions-SQS3", "x/Mine") not in found
    assert {("AwsSolutions-SQS4", "x/Mine"), ("AwsSolutions-SQS3", "x/Other")} <= found


def test_the_reasons_of_a_roles_wildcards_are_its_acceptances(tmp_path: Path) -> None:
    def build(stack: Stack) -> None:
        bucket = s3.CfnBucket(stack, "Bucket")
        read = Statement("Read", ("s3:GetObject",), objects(bucket.ref, "in/"), why="objects are named by content")
        listing = Statement("List", ("s3:ListBucket",), (bucket_arn(bucket.ref),))
        job_role(stack, "Role", "reads", JOBS["Training"], [read, listing])
        function_role(stack, "Other", "reads nothing", [listing])

    found = violations(tmp_path, build)
    assert not {rule for rule, construct in found if construct in {"x/Role", "x/Other"}}


def test_a_functions_role_accepts_wildcards_only_when_it_has_some(tmp_path: Path) -> None:
    """An acceptance in vain would be a finding of `synth --check`."""
    app = App(outdir=str(tmp_path), context={SWITCH: True}, builtin_cloud_formation_validation=False)
    stack = Stack(app, "x")
    wild = Statement("Read", ("s3:GetObject",), objects("b", "in/"), why="objects are named by content")
    named = Statement("List", ("s3:ListBucket",), (bucket_arn("b"),))
    found = [function_role(stack, f"R{number}", "x", [item]) for number, item in enumerate((wild, named))]
    accepted = [set(role.get_metadata("modelwright")["cdk-nag"]) for role in found]
    assert "Serverless-LambdaStarPermissions" in accepted[0]
    assert accepted[1] == {"NIST.800.53.R5-IAMNoInlinePolicy"}
