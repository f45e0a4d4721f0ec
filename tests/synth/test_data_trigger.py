"""What starts a run when data arrive: the events that match, the input that is made of them, who may do what."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk import App, Environment
from template_queries import Stack, read_stack

from modelwright.config.environment import EnvironmentSettings
from modelwright.config.structure import PipelineStructure
from modelwright.local.events.patterns import check_pattern, matches
from modelwright.local.events.transformers import target_input
from prepare_run.domain import parse_request
from stacks.pipeline_stack import PipelineStack

if TYPE_CHECKING:
    from pathlib import Path

TOPIC, QUEUE, TABLE = "<SharedTopicArn>", "<SharedDeadLetterQueueArn>", "table/<SharedTableName>"
S3 = "arn:<AWS::Partition>:s3:::"
OWN = "<SharedDataBucket>"
STRUCTURES = {
    "marked": {"data_marker": "_DONE"},
    "foreign": {"data_marker": "_SUCCESS", "external_data": "s3://their-bucket/a*b/c\\d/"},
    "counted": {"data_every_records": 1000},
    "theirs": {"data_every_records": 1000, "external_data": "s3://their-bucket/raw/"},
    "plain": {},
}


@pytest.fixture(scope="module")
def stacks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Stack]:
    folder: Path = tmp_path_factory.mktemp("data")
    settings = EnvironmentSettings("dev", "eu-central-1", account="210987654321")
    app = App(analytics_reporting=False, outdir=str(folder), builtin_cloud_formation_validation=False)
    env = Environment(account=settings.account, region=settings.region)
    for name, values in STRUCTURES.items():
        given: dict[str, Any] = {"merge_branch": "main", "schedule": None, "external_data": None, **values}
        PipelineStack(app, settings, PipelineStructure(name, "none", **given), env)
    app.synth()
    return {name: read_stack(folder, f"mw-dev-{name}") for name in STRUCTURES}


def rules(stack: Stack) -> list[dict[str, Any]]:
    """The rules that S3's events may match."""
    found = (rule for rule in stack.all("AWS::Events::Rule").values() if "EventPattern" in rule)
    return [rule for rule in found if rule["EventPattern"]["source"] == ["aws.s3"]]


def created(key: str, bucket: str = OWN, **changes: Any) -> dict[str, Any]:
    """The event of a new object, as S3 sends it."""
    found = {"key": key, "size": 0, "etag": "d41d8cd98f00b204e9800998ecf8427e", "version-id": "v1", "sequencer": "0A"}
    detail = {"version": "0", "bucket": {"name": bucket}, "object": found, "reason": "PutObject"}
    head = {"version": "0", "id": "17793124-05d4-b198-2fde-7ededc63b103", "source": "aws.s3"}
    return {
        **head,
        "detail-type": "Object Created",
        "resources": [f"arn:aws:s3:::{bucket}"],
        "detail": detail,
        **changes,
    }


@pytest.mark.parametrize(
    ("name", "event", "expected"),
    [
        ("marked", created("incoming/marked/day-1/_DONE"), True),
        ("marked", created("incoming/marked/a/b/_DONE"), True),
        ("marked", created("incoming/marked/_DONE"), True),
        ("marked", created("incoming/marked/day-1/a.csv"), False),
        ("marked", created("incoming/marked/day-1/x_DONE"), False),
        ("marked", created("incoming/marked/day-1/_DONE/x"), False),
        ("marked", created("incoming/marked-too/_DONE"), False),
        ("marked", created("x/incoming/marked/_DONE"), False),
        ("marked", created("incoming/marked/_DONE", "another-bucket"), False),
        ("marked", created("incoming/marked/_DONE", **{"detail-type": "Object Deleted"}), False),
        ("foreign", created("a*b/c\\d/day-1/_SUCCESS", "their-bucket"), True),
        ("foreign", created("aXb/c\\d/day-1/_SUCCESS", "their-bucket"), False),
        ("foreign", created("incoming/foreign/_SUCCESS"), False),
        ("counted", created("incoming/counted/a.csv"), True),
        ("counted", created("incoming/counted/day-1/a.csv"), True),
        ("counted", created("incoming/counted-too/a.csv"), False),
    ],
)
def test_which_objects_are_meant(stacks: dict[str, Stack], name: str, event: dict[str, Any], *, expected: bool) -> None:
    (rule,) = rules(stacks[name])
    assert rule.get("EventBusName") is None, "S3 tells the default bus only"
    check_pattern(rule["EventPattern"])
    assert matches(rule["EventPattern"], event) is expected


def test_without_the_trigger_no_object_starts_anything(stacks: dict[str, Stack]) -> None:
    assert rules(stacks["plain"]) == []
    for name, values in STRUCTURES.items():
        assert ("count_records" in stacks[name].functions()) is ("data_every_records" in values)


@pytest.mark.parametrize(
    "folder",
    ["day-1", "a b+c%20d", "ü/東京", 'say "yes"', 'x","overrides":{"C":"9"},"y":"', "back\\slash", "<id>", "{}"],
)
def test_the_folder_of_any_marker_is_the_runs_data(stacks: dict[str, Stack], folder: str) -> None:
    (rule,) = rules(stacks["marked"])
    (target,) = rule["Targets"]
    key = f"incoming/marked/{folder}/_DONE"
    text = target_input(target, created(key), {"name": "DataRule", "arn": "arn"})
    found = parse_request(json.loads(text), "marked", f"s3://{OWN}/incoming/marked/")
    assert (found.data, found.release, found.trigger_kind) == (
        f"s3://{OWN}/incoming/marked/{folder}/",
        "default",
        "data",
    )
    assert found.overrides == {}


def test_what_cannot_be_delivered_is_a_dead_letter(stacks: dict[str, Stack]) -> None:
    for name in ("marked", "foreign", "counted"):
        (rule,) = rules(stacks[name])
        assert [target["DeadLetterConfig"] for target in rule["Targets"]] == [{"Arn": QUEUE}]


def test_the_marker_starts_the_state_machine_with_a_role_for_that_alone(stacks: dict[str, Stack]) -> None:
    (rule,) = rules(stacks["marked"])
    (target,) = rule["Targets"]
    role = stacks["marked"].role(target["RoleArn"])
    assert role.actions() == {"states:StartExecution"}
    assert role.allows("states:StartExecution", target["Arn"])


def test_the_rule_and_nobody_else_calls_the_function(stacks: dict[str, Stack]) -> None:
    stack = stacks["counted"]
    (rule,) = rules(stack)
    (target,) = rule["Targets"]
    logical_id = target["Arn"].strip("<>").removesuffix(".Arn")
    assert stack.all("AWS::Lambda::Function")[logical_id]["Handler"] == "count_records.handler.handler"
    _, permission = stack.one("AWS::Lambda::Permission", FunctionName=f"<{logical_id}>")
    name = next(name for name, each in stack.all("AWS::Events::Rule").items() if each == rule)
    assert permission == {
        "Action": "lambda:InvokeFunction",
        "FunctionName": f"<{logical_id}>",
        "Principal": "events.amazonaws.com",
        "SourceArn": f"<{name}.Arn>",
    }


@pytest.mark.parametrize(
    ("action", "resource", "allowed"),
    [
        ("s3:GetObject", f"{S3}{OWN}/incoming/counted/a.csv", False),
        ("s3:GetObjectVersion", f"{S3}{OWN}/incoming/counted/a.csv", True),
        ("s3:GetObject", f"{S3}{OWN}/incoming/other/a.csv", False),
        ("s3:PutObject", f"{S3}{OWN}/incoming/counted/a.csv", False),
        ("s3:GetObject", f"{S3}<SharedArtifactBucket>/releases/counted/a.json", False),
        ("states:StartExecution", "another", False),
        ("sns:Publish", TOPIC, True),
        ("sqs:SendMessage", QUEUE, True),
        ("dynamodb:DeleteItem", f"arn:<AWS::Partition>:dynamodb:<AWS::Region>:<AWS::AccountId>:{TABLE}", False),
    ],
)
def test_the_function_reads_counts_and_starts_its_own_pipeline(
    stacks: dict[str, Stack], action: str, resource: str, *, allowed: bool
) -> None:
    role = stacks["counted"].function_role("count_records")
    assert role.allows(action, resource) is allowed
    machine, _ = stacks["counted"].one("AWS::StepFunctions::StateMachine")
    assert role.allows("states:StartExecution", f"<{machine}>")


def test_a_foreign_bucket_may_keep_no_versions(stacks: dict[str, Stack]) -> None:
    role = stacks["theirs"].function_role("count_records")
    for action in ("s3:GetObject", "s3:GetObjectVersion"):
        assert role.allows(action, f"{S3}their-bucket/raw/a.csv")
        assert not role.allows(action, f"{S3}their-bucket/other/a.csv")


def test_the_function_knows_what_it_counts_for(stacks: dict[str, Stack]) -> None:
    values = stacks["counted"].functions()["count_records"]["Environment"]["Variables"]
    assert (values["EVERY_RECORDS"], values["DATA_PREFIX"]) == ("1000", f"s3://{OWN}/incoming/counted/")
    machine, _ = stacks["counted"].one("AWS::StepFunctions::StateMachine")
    assert values["STATE_MACHINE_ARN"] == f"<{machine}>"


def test_prepare_run_knows_where_data_come_from(stacks: dict[str, Stack]) -> None:
    def prefix(name: str) -> str:
        return str(stacks[name].functions()["prepare_run"]["Environment"]["Variables"]["DATA_PREFIX"])

    assert prefix("foreign") == "s3://their-bucket/a*b/c\\d/"
    assert prefix("plain") == f"s3://{OWN}/incoming/plain/"
