"""What stands inside a definition: a task or a job made wrong on purpose is found by its rule, on its state."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from modelwright.client.checks.report import Collector
from modelwright.client.checks.settings_inside import check_settings_inside
from modelwright.client.checks.templates import Template
from modelwright.config.environment import EnvironmentSettings, VpcSettings
from modelwright.workflow.expressions import tags
from modelwright.workflow.states_jobs import evaluate_model, train_model
from modelwright.workflow.states_model import create_endpoint_config, create_model
from modelwright.workflow.structure import WorkflowStructure

STRUCTURE = WorkflowStructure("penguins")
STATES = {
    "TrainModel": train_model(STRUCTURE),
    "EvaluateModel": evaluate_model(STRUCTURE),
    "CreateModel": create_model(STRUCTURE),
    "CreateEndpointConfig": create_endpoint_config(STRUCTURE),
}
ROLES = ("ProcessingRoleArn", "TrainingRoleArn", "HostingRoleArn")
TRAFFIC = {"traffic[TrainModel]": "one machine", "traffic[EvaluateModel]": "one machine"}
SETTINGS = EnvironmentSettings("dev", "eu-central-1")


def check(
    states: dict[str, Any],
    settings: EnvironmentSettings = SETTINGS,
    accepted: dict[str, str] = TRAFFIC,
    **substitutions: Any,
) -> Collector:
    definition = {"StartAt": "TrainModel", "TimeoutSeconds": 60, "States": states}
    given: dict[str, Any] = {name: {"Fn::GetAtt": ["Role", "Arn"]} for name in ROLES}
    machine = {
        "Type": "AWS::StepFunctions::StateMachine",
        "Properties": {
            "DefinitionString": json.dumps(definition),
            "DefinitionSubstitutions": {**given, **substitutions},
        },
        "Metadata": {"modelwright": {"definition": accepted}},
    }
    resources = {"Role": {"Type": "AWS::IAM::Role"}, "Topic": {"Type": "AWS::SNS::Topic"}, "Machine": machine}
    collector = Collector()
    check_settings_inside([Template("x", Path("x.json"), {"Resources": resources})], settings, collector)
    assert all(finding.tool == "definition" and finding.where == "x/Machine" for finding in collector.findings)
    return collector


def ids(collector: Collector) -> list[str]:
    return [finding.id for finding in collector.findings]


def changed(state: str, path: str, value: Any = None) -> dict[str, Any]:
    """The right states with one field of one of them changed, or gone."""
    states: dict[str, Any] = copy.deepcopy(STATES)
    *parents, last = path.split(".")
    target = states[state]
    for part in parents:
        target = target[int(part) if part.isdigit() else part]
    if value is None:
        del target[last]
    else:
        target[last] = value
    return states


def test_the_states_as_they_are_pass() -> None:
    collector = check(STATES)
    assert ids(collector) == []
    assert {item.id for item in collector.accepted} == set(TRAFFIC)


@pytest.mark.parametrize(
    ("state", "path", "value", "rule"),
    [
        ("TrainModel", "TimeoutSeconds", None, "timeout"),
        ("TrainModel", "Catch", None, "catch"),
        ("TrainModel", "Catch", [{"ErrorEquals": ["States.Timeout"], "Next": "X"}], "catch"),
        ("TrainModel", "Retry", None, "retry"),
        ("CreateModel", "Retry.0.MaxAttempts", None, "retry-limit"),
        ("CreateModel", "Retry", [{"ErrorEquals": ["States.ALL"], "MaxAttempts": 99}], "retry-limit"),
        ("TrainModel", "Retry", [{"ErrorEquals": ["States.ALL"], "MaxAttempts": 2}], "retry-job"),
        ("TrainModel", "TimeoutSeconds", "{% $plan.process.timeout_seconds %}", "timeout-order"),
        ("TrainModel", "TimeoutSeconds", 60, "timeout-order"),
        ("TrainModel", "Arguments.OutputDataConfig.KmsKeyId", None, "output-key"),
        ("TrainModel", "Arguments.OutputDataConfig.S3OutputPath", "s3://elsewhere/", "output"),
        ("TrainModel", "Arguments.EnableNetworkIsolation", None, "isolation"),
        ("TrainModel", "Arguments.EnableNetworkIsolation", False, "isolation"),
        ("TrainModel", "Arguments.ResourceConfig", {"InstanceType": "ml.m5.large"}, "volume-key"),
        ("TrainModel", "Arguments.RoleArn", "arn:aws:iam::123456789012:role/admin", "role"),
        ("TrainModel", "Arguments.RoleArn", "{% $plan.role %}", "role"),
        ("TrainModel", "Arguments.Tags", tags(STRUCTURE)[1:], "tags"),
        ("EvaluateModel", "Arguments.StoppingCondition", None, "stopping"),
        ("EvaluateModel", "Arguments.NetworkConfig", None, "isolation"),
        ("EvaluateModel", "Arguments.ProcessingOutputConfig.KmsKeyId", None, "output-key"),
        ("EvaluateModel", "Arguments.ProcessingOutputConfig.Outputs.0.S3Output.S3Uri", "{% $plan.x %}", "output"),
        ("EvaluateModel", "Arguments.ProcessingResources.ClusterConfig", {"InstanceCount": 1}, "volume-key"),
        ("CreateModel", "Arguments.EnableNetworkIsolation", False, "isolation"),
        ("CreateModel", "Arguments.ExecutionRoleArn", "${TopicArn}", "role"),
        ("CreateModel", "Arguments.Tags", None, "tags"),
        ("CreateEndpointConfig", "Arguments", {"Tags": tags(STRUCTURE)}, "volume-key"),
    ],
)
def test_a_fault_is_found_by_its_rule(state: str, path: str, value: Any, rule: str) -> None:
    found = ids(check(changed(state, path, value), TopicArn={"Ref": "Topic"}))
    assert set(found) == {f"{rule}[{state}]"}


def test_numbers_of_timeouts_are_compared() -> None:
    states = changed("TrainModel", "TimeoutSeconds", 3600)
    states["TrainModel"]["Arguments"]["StoppingCondition"] = {"MaxRuntimeInSeconds": 3599}
    assert ids(check(states)) == []
    states["TrainModel"]["Arguments"]["StoppingCondition"] = {"MaxRuntimeInSeconds": 3600}
    assert ids(check(states)) == ["timeout-order[TrainModel]"]


def test_traffic_between_containers_is_encrypted_or_accepted() -> None:
    assert ids(check(STATES, accepted={})) == ["traffic[TrainModel]", "traffic[EvaluateModel]"]
    states = changed("TrainModel", "Arguments.EnableInterContainerTrafficEncryption", True)
    assert ids(check(states, accepted={"traffic[EvaluateModel]": "one machine"})) == []


def test_in_a_network_everything_that_runs_is_in_it() -> None:
    settings = EnvironmentSettings("dev", "eu-central-1", vpc=VpcSettings(("subnet-1",), ("sg-1",)))
    assert ids(check(STATES, settings)) == ["vpc[TrainModel]", "vpc[EvaluateModel]", "vpc[CreateModel]"]
    states: dict[str, Any] = copy.deepcopy(STATES)
    config = {"Subnets": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}
    states["TrainModel"]["Arguments"]["VpcConfig"] = config
    states["EvaluateModel"]["Arguments"]["NetworkConfig"]["VpcConfig"] = config
    states["CreateModel"]["Arguments"]["VpcConfig"] = config
    assert ids(check(states, settings)) == []
    assert set(ids(check(states))) == {"vpc[TrainModel]", "vpc[EvaluateModel]", "vpc[CreateModel]"}


def test_without_a_key_of_its_own_none_is_asked_for() -> None:
    states = changed("TrainModel", "Arguments.OutputDataConfig.KmsKeyId")
    assert ids(check(states, EnvironmentSettings("dev", "eu-central-1", key="aws-owned"))) == []


def test_the_environments_tags_are_on_what_a_run_makes() -> None:
    found = check(STATES, EnvironmentSettings("dev", "eu-central-1", tags={"team": "ml"})).findings
    assert {finding.id for finding in found} == {f"tags[{name}]" for name in STATES}
    assert "lacks the tags team." in found[0].message


def test_a_machine_without_an_end_is_found() -> None:
    machine = {"Type": "AWS::StepFunctions::StateMachine"}
    machine["Properties"] = {"DefinitionString": json.dumps({"StartAt": "A", "States": {"A": {"Type": "Succeed"}}})}
    collector = Collector()
    check_settings_inside([Template("x", Path("x.json"), {"Resources": {"M": machine}})], SETTINGS, collector)
    assert ids(collector) == ["timeout"]
