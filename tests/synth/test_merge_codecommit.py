"""Merges from CodeCommit in the template: which event, who may do what with it, where it ends when nothing helps."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk import App, Environment
from template_queries import Stack, read_stack

from modelwright.config.environment import EnvironmentSettings
from modelwright.config.structure import PipelineStructure
from modelwright.local.events.patterns import matches
from stacks.pipeline_stack import PipelineStack

if TYPE_CHECKING:
    from pathlib import Path

ARN = "arn:<AWS::Partition>:codecommit:<AWS::Region>:<AWS::AccountId>:models"
BUCKET = "arn:<AWS::Partition>:s3:::<SharedArtifactBucket>"


@pytest.fixture(scope="module")
def outdir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("merges")
    settings = EnvironmentSettings("dev", "eu-central-1")
    app = App(analytics_reporting=False, outdir=str(folder), builtin_cloud_formation_validation=False)
    for name, repository in (("whales", "models"), ("whale", None), ("cats", "models")):
        structure = PipelineStructure(name, "none", "trunk", None, None, merge_codecommit=repository)
        PipelineStack(app, settings, structure, Environment(region=settings.region))
    app.synth()
    return folder


@pytest.fixture(scope="module")
def stack(outdir: Path) -> Stack:
    return read_stack(outdir, "mw-dev-whales")


def rule_of(stack: Stack) -> dict[str, Any]:
    """The rule of CodeCommit's events."""
    return stack.all("AWS::Events::Rule")["CodeCommitRule"]


def pushed(**detail: str) -> dict[str, Any]:
    """CodeCommit's event: https://docs.aws.amazon.com/codecommit/latest/userguide/monitoring-events.html."""
    about = {"event": "referenceUpdated", "referenceType": "branch", "referenceName": "trunk", "commitId": "c" * 40}
    head = {"source": "aws.codecommit", "detail-type": "CodeCommit Repository State Change", "resources": [ARN]}
    return {**head, "detail": {**about, **detail}}


def test_a_branch_that_moves_in_the_repository_is_let_through(stack: Stack) -> None:
    pattern = rule_of(stack)["EventPattern"]
    assert matches(pattern, pushed())
    assert matches(pattern, pushed(event="referenceCreated"))


@pytest.mark.parametrize(
    "event",
    [
        pushed(event="referenceDeleted"),
        pushed(referenceName="main"),
        pushed(referenceType="tag"),
        {**pushed(), "resources": [ARN + "-other"]},
        {**pushed(), "source": "modelwright"},
        {**pushed(), "detail-type": "CodeCommit Pull Request State Change"},
    ],
    ids=["deleted", "another branch", "a tag", "another repository", "another source", "a pull request"],
)
def test_nothing_else_is(stack: Stack, event: dict[str, Any]) -> None:
    assert not matches(rule_of(stack)["EventPattern"], event)


def test_the_rule_calls_the_function_as_nobody_else_may(stack: Stack) -> None:
    (target,) = rule_of(stack)["Targets"]
    _, permission = stack.one("AWS::Lambda::Permission", SourceArn="<CodeCommitRule.Arn>")
    assert (permission["Principal"], permission["Action"]) == ("events.amazonaws.com", "lambda:InvokeFunction")
    assert target["Arn"] == f"{permission['FunctionName'].removesuffix('>')}.Arn>"
    assert target["DeadLetterConfig"] == {"Arn": "<SharedDeadLetterQueueArn>"}
    assert target["RetryPolicy"]["MaximumRetryAttempts"] > 0
    assert "RoleArn" not in target  # a function is called by its own policy:
    # https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html


def test_what_fails_again_and_again_is_a_dead_letter_and_an_alarm(stack: Stack) -> None:
    function = stack.functions()["publish_merge"]
    assert function["DeadLetterConfig"] == {"TargetArn": "<SharedDeadLetterQueueArn>"}
    assert stack.function_role("publish_merge").allows("sqs:SendMessage", "<SharedDeadLetterQueueArn>")
    (alarm,) = (item for item in stack.all("AWS::CloudWatch::Alarm").values() if "merge" in item["AlarmDescription"])
    watched = {query["MetricStat"]["Metric"]["MetricName"] for query in alarm["Metrics"] if "MetricStat" in query}
    assert watched == {"Errors", "Throttles", "DeadLetterErrors"}
    assert alarm["AlarmActions"] == ["<SharedTopicArn>"]


def test_it_reads_the_one_repository_and_writes_its_own_pipelines_releases(stack: Stack) -> None:
    role = stack.function_role("publish_merge")
    for action in ("codecommit:GetFile", "codecommit:GetFolder"):
        assert role.allows(action, ARN)
        assert not role.allows(action, ARN + "-other")
    for folder in ("releases", "code", "commits", "datasets"):
        assert role.allows("s3:PutObject", f"{BUCKET}/{folder}/whales/x")
        assert not role.allows("s3:PutObject", f"{BUCKET}/{folder}/whale/x")
    assert not role.allows("s3:PutObject", f"{BUCKET}/defaults/whales.json")
    assert not role.allows("s3:PutObject", f"{BUCKET}/models/whales/x")
    assert {action for action in role.actions() if action.startswith("codecommit:")} == {
        "codecommit:GetFile",
        "codecommit:GetFolder",
    }


def test_it_announces_merges_and_nothing_else(stack: Stack) -> None:
    statement = stack.function_role("publish_merge").statement("events:PutEvents")
    assert statement["Resource"].endswith(":event-bus/<SharedEventBusName>")
    assert statement["Condition"] == {"StringEquals": {"events:source": "modelwright", "events:detail-type": "Merge"}}


def test_the_push_names_the_run_and_not_its_announcement(stack: Stack, outdir: Path) -> None:
    """Lambda may announce a push twice: both have the push's id, so that the second run sees the first."""
    (rule,) = (rule for rule in stack.all("AWS::Events::Rule").values() if "EventBusName" in rule)
    (target,) = rule["Targets"]
    assert target["InputTransformer"]["InputPathsMap"]["id"] == "$.detail.event"
    detail = {"pipeline": "whales", "branch": "trunk", "commit": "c", "release": "r"}
    merge = {"source": "modelwright", "detail-type": "Merge", "detail": detail}
    assert not matches(rule["EventPattern"], merge)
    assert matches(rule["EventPattern"], {**merge, "detail": {**detail, "event": "e"}})
    plain = read_stack(outdir, "mw-dev-whale").all("AWS::Events::Rule")["MergeRule"]
    assert plain["Targets"][0]["InputTransformer"]["InputPathsMap"]["id"] == "$.id"


def test_without_codecommit_there_is_none_of_it(outdir: Path) -> None:
    plain = read_stack(outdir, "mw-dev-whale")
    assert "publish_merge" not in plain.functions()
    assert set(plain.all("AWS::Lambda::Permission")) == {"CloseEndedRuns"}
    assert set(plain.all("AWS::Events::Rule")) == {"MergeRule", "EndedRule"}
    assert "codecommit" not in json.dumps(plain.body)


def test_pipelines_share_one_asset(outdir: Path) -> None:
    keys = {
        read_stack(outdir, f"mw-dev-{name}").functions()["publish_merge"]["Code"]["S3Key"]
        for name in ("whales", "cats")
    }
    assert len(keys) == 1
