"""One pipeline's stacks: functions, state machine, triggers, alarms, outputs; what is kept and what has a name."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER
from template_queries import Stack, read_stack, read_stacks

from modelwright.config import load_project
from modelwright.workflow.definition import definition, placeholders
from modelwright.workflow.functions import functions
from modelwright.workflow.structure import LEASE_MARGIN_SECONDS, Limits, Surroundings
from modelwright.workflow.trigger_functions import CLOSE_RUN

if TYPE_CHECKING:
    from pathlib import Path

    from modelwright.config import Project

MACHINE = "AWS::StepFunctions::StateMachine"


@pytest.fixture(scope="module")
def stack(assembly: Path) -> Stack:
    return read_stack(assembly, "mw-dev-penguins")


@pytest.fixture(scope="module")
def project(project_copy: Path) -> Project:
    return load_project(project_copy, "dev")


def test_the_definition_is_the_workflows(stack: Stack, project: Project) -> None:
    found = project.environment.limits
    limits = Limits(
        deployment_seconds=found.max_wait_for_endpoint_seconds,
        lease_wait_seconds=found.lease_seconds + LEASE_MARGIN_SECONDS,  # a run that was stopped fails no other
    )
    assert stack.definition() == definition(project.pipeline("penguins").structure(), Surroundings("dev", limits))


def test_every_placeholder_has_a_value_and_every_value_a_placeholder(stack: Stack) -> None:
    assert set(stack.machine()["DefinitionSubstitutions"]) >= placeholders(stack.definition())


def test_every_event_of_the_state_machine_is_logged_and_traced(stack: Stack) -> None:
    machine = stack.machine()
    logging = machine["LoggingConfiguration"]
    assert (logging["Level"], logging["IncludeExecutionData"]) == ("ALL", True)
    assert machine["TracingConfiguration"] == {"Enabled": True}
    (place,) = logging["Destinations"]
    group = place["CloudWatchLogsLogGroup"]["LogGroupArn"].strip("<>").split(".")[0]
    name = stack.all("AWS::Logs::LogGroup")[group]["LogGroupName"]
    assert name.startswith("/aws/vendedlogs/states/")


def test_every_log_group_is_encrypted_and_ends(stack: Stack, project: Project) -> None:
    groups = stack.all("AWS::Logs::LogGroup").values()
    assert len(groups) == len(stack.functions()) + len(["the state machine", "the builds of images"])
    for group in groups:
        assert group["KmsKeyId"] == "<SharedKeyArn>"
        assert group["RetentionInDays"] == project.environment.logs.retention_days


def test_functions_are_as_the_workflow_says(stack: Stack, project: Project) -> None:
    made = stack.functions()
    structure = project.pipeline("penguins").structure()
    wanted = (*functions(structure.endpoint, compiled=structure.compiled), CLOSE_RUN)
    assert set(made) == {function.name for function in wanted}
    for function in wanted:
        found = made[function.name]
        assert (found["Handler"], found["MemorySize"], found["Timeout"]) == (
            function.handler,
            function.memory_mib,
            function.timeout_seconds,
        )
        assert found.get("EphemeralStorage", {"Size": 512}) == {"Size": function.storage_mib}


def test_functions_are_traced_and_write_to_a_group_of_ours(stack: Stack) -> None:
    for function in stack.functions().values():
        assert function["Architectures"] == ["arm64"]
        assert function["TracingConfig"] == {"Mode": "Active"}
        assert function["LoggingConfig"]["LogGroup"].strip("<>") in stack.all("AWS::Logs::LogGroup")


def test_all_functions_share_one_asset_without_bundling(stack: Stack, assembly: Path) -> None:
    keys = {function["Code"]["S3Key"] for function in stack.functions().values()}
    assert len(keys) == 1
    (key,) = keys
    assets = json.loads((assembly / "mw-dev-penguins.assets.json").read_text("utf-8"))["files"]
    source = assets[key.removesuffix(".zip")]["source"]
    assert source["packaging"] == "zip"
    files = [path for path in (assembly / source["path"]).rglob("*") if path.is_file()]
    assert any(path.name == "handler.py" for path in files)
    assert {path.suffix for path in files} == {".py"}


def filled(template: str, values: dict[str, str]) -> Any:
    """What EventBridge makes of an input template: the value as JSON for each placeholder."""
    return json.loads(re.sub("<([a-z]+)>", lambda found: json.dumps(values[found[1]]), template))


def test_a_merge_makes_exactly_the_execution_input(stack: Stack) -> None:
    _, rule = stack.one("AWS::Events::Rule", EventBusName="<SharedEventBusName>")
    pattern = rule["EventPattern"]
    assert (pattern["source"], pattern["detail-type"]) == (["modelwright"], ["Merge"])
    assert (pattern["detail"]["pipeline"], pattern["detail"]["branch"]) == (["penguins"], ["main"])
    transformer = rule["Targets"][0]["InputTransformer"]
    assert transformer["InputPathsMap"] == {"id": "$.id", "commit": "$.detail.commit", "release": "$.detail.release"}
    made = filled(transformer["InputTemplate"], {"id": "e-1", "commit": "c" * 40, "release": 'a"b'})
    trigger = {"kind": "merge", "id": "e-1", "commit": "c" * 40}
    assert made == {"schema": 1, "pipeline": "penguins", "release": 'a"b', "trigger": trigger}


def test_a_schedule_on_the_default_bus_runs_the_default_release(stack: Stack, project: Project) -> None:
    schedule = project.pipeline("penguins").triggers.schedule
    _, rule = stack.one("AWS::Events::Rule", ScheduleExpression=schedule)
    assert "EventBusName" not in rule
    transformer = rule["Targets"][0]["InputTransformer"]
    made = filled(transformer["InputTemplate"], {"id": "e-2"})
    assert made == {
        "schema": 1,
        "pipeline": "penguins",
        "release": "default",
        "trigger": {"kind": "schedule", "id": "e-2"},
    }


def test_what_a_rule_cannot_deliver_is_tried_again_and_kept(stack: Stack) -> None:
    machine, _ = stack.one(MACHINE)
    for rule in stack.all("AWS::Events::Rule").values():
        (target,) = rule["Targets"]
        assert target["Arn"] == ("<CloseRunFunction.Arn>" if target["Id"] == "CloseRun" else f"<{machine}>")
        assert target["RetryPolicy"]["MaximumRetryAttempts"] > 0
        assert target["DeadLetterConfig"] == {"Arn": "<SharedDeadLetterQueueArn>"}


def test_the_outputs_are_what_the_command_line_looks_for(stack: Stack, project: Project) -> None:
    outputs = {name: output["Value"] for name, output in stack.body["Outputs"].items()}
    assert set(outputs) == {
        *("StateMachineArn", "EndpointName", "ModelPackageGroupName", "DataBucketName", "ArtifactBucketName"),
        *("TableName", "EventBusName", "TopicArn", "StateMachineLogGroup", "Structure", "KeyArn"),
        "BatchRoleArn",
    }
    assert outputs["EndpointName"] == "mw-dev-penguins"
    assert outputs["Structure"] == project.pipeline("penguins").structure().digest()


def test_images_and_registered_models_are_kept(assembly: Path) -> None:
    kept = read_stack(assembly, "mw-dev-penguins-data")
    assert {resource["Type"] for _, resource in kept.resources()} == {
        "AWS::ECR::Repository",
        "AWS::SageMaker::ModelPackageGroup",
    }
    # A first deployment that is rolled back takes them along: their names must be free for the next attempt.
    assert {resource["DeletionPolicy"] for _, resource in kept.resources()} == {"RetainExceptOnCreate"}
    assert {resource["UpdateReplacePolicy"] for _, resource in kept.resources()} == {"Retain"}
    _, repository = kept.one("AWS::ECR::Repository")
    assert repository["ImageTagMutability"] == "IMMUTABLE"
    assert repository["ImageScanningConfiguration"] == {"ScanOnPush": True}
    assert repository["EncryptionConfiguration"] == {"EncryptionType": "KMS", "KmsKey": "<SharedKeyArn>"}


def test_stacks_with_data_are_protected_and_the_other_is_not(assembly: Path) -> None:
    artifacts = json.loads((assembly / "manifest.json").read_text("utf-8"))["artifacts"]
    protected = {
        name: artifact["properties"]["terminationProtection"]
        for name, artifact in artifacts.items()
        if artifact["type"] == "aws:cloudformation:stack"
    }
    assert protected == {"mw-dev-data": True, "mw-dev-penguins-data": True, "mw-dev-penguins": False}


def test_stacks_go_into_the_environments_region_and_into_any_account(assembly: Path) -> None:
    artifacts = json.loads((assembly / "manifest.json").read_text("utf-8"))["artifacts"].values()
    places = {item["environment"] for item in artifacts if item["type"] == "aws:cloudformation:stack"}
    assert places == {"aws://unknown-account/eu-central-1"}


NAMES = {
    "AWS::DynamoDB::Table": "TableName",
    "AWS::ECR::Repository": "RepositoryName",
    "AWS::Events::EventBus": "Name",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::SSM::Parameter": "Name",
    "AWS::SageMaker::ModelPackageGroup": "ModelPackageGroupName",
    "AWS::StepFunctions::StateMachine": "StateMachineName",
}


def test_only_what_outlives_its_stack_has_a_name(assembly: Path) -> None:
    """The state machine and its log group have one, too: grants and AWS ask for it; see stacks/names.py."""
    naming = re.compile("(Name|Identifier)$")
    for stack in read_stacks(assembly):
        for logical_id, resource in stack.resources():
            kind = resource["Type"].rpartition("::")[2]
            own = {"Name", f"{kind}Name"} & set(resource.get("Properties", {}))
            assert not {name for name in own if naming.search(name)} - {NAMES.get(resource["Type"])}, logical_id


def test_nothing_with_a_name_of_its_own_would_have_to_be_replaced(assembly: Path) -> None:
    """CloudFormation cannot replace it: a text that somebody corrects one day would fail the deploy of everybody.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-update-behaviors.html
    """
    chosen_once = {
        "AWS::ECR::Repository": {"EncryptionConfiguration"},  # docs/keys.md; a deploy of another is refused
        "AWS::SageMaker::ModelPackageGroup": {"ModelPackageGroupDescription"},  # these words for ever
    }
    _, group = read_stack(assembly, "mw-dev-penguins-data").one("AWS::SageMaker::ModelPackageGroup")
    assert group["ModelPackageGroupDescription"] == "Models of the pipeline penguins (dev)"
    for stack in read_stacks(assembly):
        for logical_id, resource in stack.resources():
            type_, properties = resource["Type"], set(resource.get("Properties", {}))
            if NAMES.get(type_) not in properties:
                continue
            schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("eu-central-1", type_).schema
            create_only = {path.split("/")[2] for path in schema.get("createOnlyProperties", [])}
            fixed = (create_only & properties) - {NAMES[type_]} - chosen_once.get(type_, set())
            assert not fixed, f"{logical_id}: {fixed}"


def test_stacks_know_each_other_by_parameters_only_and_make_nothing_custom(assembly: Path) -> None:
    for stack in read_stacks(assembly):
        text = json.dumps(stack.body)
        assert "Fn::ImportValue" not in text
        assert "Export" not in json.dumps(stack.body.get("Outputs", {}))
        types = {resource["Type"] for _, resource in stack.resources()}
        assert not {name for name in types if name.startswith(("Custom::", "AWS::CloudFormation::"))}
        kinds = {parameter["Type"] for parameter in stack.body.get("Parameters", {}).values()}
        assert kinds <= {"AWS::SSM::Parameter::Value<String>"}
