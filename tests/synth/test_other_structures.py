"""What the structure and the environment change: no endpoint, foreign data, no schedule, nothing kept, an account."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from aws_cdk import App, Environment
from template_queries import Stack, read_stack

from modelwright.config.environment import AlarmSettings, EnvironmentSettings
from modelwright.config.structure import PipelineStructure
from modelwright.workflow.definition import placeholders
from stacks.data_stack import DataStack
from stacks.pipeline_data_stack import PipelineDataStack
from stacks.pipeline_stack import PipelineStack

if TYPE_CHECKING:
    from pathlib import Path

_PULLING = ("Hosting", "Batch", "Processing")
BUCKET = "arn:<AWS::Partition>:s3:::their-bucket"


@pytest.fixture(scope="module")
def outdir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment whose owner keeps nothing, with a pipeline that only registers models of foreign data."""
    folder = tmp_path_factory.mktemp("whales")
    settings = EnvironmentSettings(
        "sand",
        "us-east-1",
        account="210987654321",
        notify_emails=("a@example.org", "b@example.org"),
        alarms=AlarmSettings(endpoint_latency_ms=5),
        removal="destroy",
    )
    structure = PipelineStructure(
        pipeline="whales",
        endpoint="none",
        merge_branch="trunk",
        schedule=None,
        external_data="s3://their-bucket/raw/2026/",
    )
    app = App(analytics_reporting=False, outdir=str(folder), builtin_cloud_formation_validation=False)
    env = Environment(account=settings.account, region=settings.region)
    DataStack(app, settings, env)
    PipelineDataStack(app, settings, "whales", env)
    PipelineStack(app, settings, structure, env)
    app.synth()
    return folder


@pytest.fixture(scope="module")
def stack(outdir: Path) -> Stack:
    return read_stack(outdir, "mw-sand-whales")


def test_without_an_endpoint_nothing_can_deploy_one(stack: Stack) -> None:
    actions = stack.machine_role().actions()
    assert not {name for name in actions if name.endswith(("Endpoint", "EndpointConfig", "CreateModel"))}
    assert "sagemaker:CreateModelPackage" in actions
    assert "HostingRoleArn" not in stack.machine()["DefinitionSubstitutions"]
    assert not {"smoke_test", "promote_model", "restore_endpoint"} & set(stack.functions())


def test_what_is_not_compiled_has_nothing_for_it(stack: Stack) -> None:
    """No state, no function, no project, and no role may build, look for or pull our images."""
    assert "DecideCompilation" not in stack.definition()["States"]
    assert "choose_model" not in stack.functions()
    assert stack.all("AWS::CodeBuild::Project") == {}
    for role in stack.roles():
        granted = json.dumps(role.statements)
        assert "codebuild" not in granted.lower(), role.name
        assert "-serving" not in granted, role.name
        assert "/compiled/" not in granted, role.name
    assert "codebuild.amazonaws.com" not in {role.trust["Principal"]["Service"] for role in stack.roles()}


@pytest.fixture(scope="module")
def scripted(tmp_path_factory: pytest.TempPathFactory) -> Stack:
    """A pipeline whose scripts are served by our own image."""
    folder = tmp_path_factory.mktemp("scripted")
    return _whales(folder, PipelineStructure("whales", "realtime", "main", None, None, script_image=True, batch=True))


def _whales(folder: Path, structure: PipelineStructure) -> Stack:
    settings = EnvironmentSettings("sand", "us-east-1", account="210987654321")
    app = App(analytics_reporting=False, outdir=str(folder), builtin_cloud_formation_validation=False)
    env = Environment(account=settings.account, region=settings.region)
    for make in (DataStack, PipelineStack):
        made = (structure,) if make is PipelineStack else ()
        make(app, settings, *made, env)
    app.synth()
    return read_stack(folder, "mw-sand-whales")


def test_a_script_in_our_image_has_one_image_built_that_only_models_pull(scripted: Stack) -> None:
    """And no job that converts, no function that chooses."""
    assert {"DecideServing", "FindServingImage", "BuildServingImage"} < set(scripted.definition()["States"])
    assert not {"ConvertModel", "ChooseModel", "DecideCompilation"} & set(scripted.definition()["States"])
    assert "choose_model" not in scripted.functions()
    (project,) = scripted.all("AWS::CodeBuild::Project").values()
    variables = {each["Name"]: each["Value"] for each in project["Environment"]["EnvironmentVariables"]}
    assert variables["TARGETS"] == "python"
    machine = scripted.machine_role()
    assert {"codebuild:StartBuild", "ecr:DescribeImages"} <= machine.actions()
    assert "-convert-" not in json.dumps(machine.statements)
    ours, theirs = "/mw-sand-serving", "/sagemaker-scikit-learn"
    pulled = {name: json.dumps(scripted.role(f"<{name}Role.Arn>").statements) for name in _PULLING}
    assert {name: ours in text for name, text in pulled.items()} == {
        "Hosting": True,
        "Batch": True,
        "Processing": False,
    }
    assert all(theirs in text for text in pulled.values())  # what served before may be in it


def test_what_our_image_served_before_can_be_brought_back_where_aws_s_does_now(tmp_path: Path) -> None:
    """`serve: framework` after `auto`: RestoreEndpoint asks for the old configuration, with this role."""
    framework = _whales(tmp_path, PipelineStructure("whales", "realtime", "main", None, None, batch=True))
    pulled = {name: json.dumps(framework.role(f"<{name}Role.Arn>").statements) for name in _PULLING}
    assert {name: "/mw-sand-serving" in text for name, text in pulled.items()} == {
        "Hosting": True,
        "Batch": True,
        "Processing": False,
    }


def test_without_an_endpoint_there_are_no_alarms_of_one(stack: Stack) -> None:
    namespaces = {alarm.get("Namespace") for alarm in stack.all("AWS::CloudWatch::Alarm").values()}
    assert "AWS/SageMaker" not in namespaces
    assert "AWS/States" in namespaces


def test_without_an_endpoint_every_placeholder_still_has_a_value(stack: Stack) -> None:
    assert set(stack.machine()["DefinitionSubstitutions"]) >= placeholders(stack.definition())


def test_foreign_data_is_read_under_its_prefix_only(stack: Stack) -> None:
    role = stack.job_role("Processing")
    assert role.allows("s3:GetObject", f"{BUCKET}/raw/2026/whales.csv")
    assert not role.allows("s3:GetObject", f"{BUCKET}/secret.csv")
    assert not role.allows("s3:PutObject", f"{BUCKET}/raw/2026/whales.csv")
    (listing,) = (item for item in role.statements if item["Sid"] == "ListExternalData")
    assert listing["Condition"] == {"StringLike": {"s3:prefix": "raw/2026/*"}}
    assert not stack.job_role("Training").allows("s3:GetObject", f"{BUCKET}/raw/2026/whales.csv")


def test_without_a_schedule_only_merges_into_its_branch_start_it(stack: Stack) -> None:
    rules = [rule for name, rule in stack.all("AWS::Events::Rule").items() if name != "EndedRule"]
    assert [rule["EventPattern"]["detail"]["branch"] for rule in rules] == [["trunk"]]
    assert not [
        item for item in stack.all("AWS::CloudWatch::Alarm").values() if item.get("MetricName") == "ExecutionsSucceeded"
    ]


def test_an_owner_who_keeps_nothing_can_delete_everything(outdir: Path) -> None:
    for name in ("mw-sand-data", "mw-sand-whales-data"):
        policies = {item.get("DeletionPolicy", "Delete") for _, item in read_stack(outdir, name).resources()}
        assert policies == {"Delete"}
    artifacts = json.loads((outdir / "manifest.json").read_text("utf-8"))["artifacts"]
    assert not any(item["properties"].get("terminationProtection") for item in artifacts.values())
    _, table = read_stack(outdir, "mw-sand-data").one("AWS::DynamoDB::Table")
    assert table["DeletionProtectionEnabled"] is False


def test_everyone_who_is_to_be_told_is_subscribed(outdir: Path) -> None:
    data = read_stack(outdir, "mw-sand-data")
    addresses = {item["Endpoint"] for item in data.all("AWS::SNS::Subscription").values()}
    assert addresses == {"a@example.org", "b@example.org"}


def test_a_named_account_is_the_only_one_that_it_is_deployed_to(outdir: Path) -> None:
    artifacts = json.loads((outdir / "manifest.json").read_text("utf-8"))["artifacts"]
    places = {item["environment"] for item in artifacts.values() if item["type"] == "aws:cloudformation:stack"}
    assert places == {"aws://210987654321/us-east-1"}


def test_framework_images_are_those_of_the_region(stack: Stack, assembly: Path) -> None:
    found = stack.job_role("Training").statement("ecr:BatchGetImage")["Resource"]
    assert "arn:<AWS::Partition>:ecr:<AWS::Region>:683313688378:repository/sagemaker-scikit-learn" in found
    elsewhere = read_stack(assembly, "mw-dev-penguins").job_role("Training").statement("ecr:BatchGetImage")["Resource"]
    assert "arn:<AWS::Partition>:ecr:<AWS::Region>:492215442770:repository/sagemaker-scikit-learn" in elsewhere
