"""The requests of the state machine against AWS's own description of its APIs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from checked_templates import SNS, TRAIN, machine, task, template, training

from modelwright.client.checks.report import Collector
from modelwright.client.checks.requests import check_requests, operation_of, problems
from modelwright.workflow.expressions import with_optional

if TYPE_CHECKING:
    from pathlib import Path


def test_a_right_request_with_expressions_passes() -> None:
    assert list(problems(task(TRAIN, training()))) == []


@pytest.mark.parametrize(
    ("changes", "rule", "message"),
    [
        ({"TrainingJobNam": "x"}, "parameters", 'Unknown parameter in input: "TrainingJobNam"'),
        ({"AlgorithmSpecification": {}}, "parameters", 'parameter in AlgorithmSpecification: "TrainingInputMode"'),
        ({"EnableNetworkIsolation": "yes"}, "parameters", "Invalid type for parameter EnableNetworkIsolation"),
        ({"StoppingCondition": {"MaxRuntimeInSeconds": 0}}, "parameters", "StoppingCondition.MaxRuntimeInSeconds"),
        (
            {"AlgorithmSpecification": {"TrainingImage": "i", "TrainingInputMode": "Files"}},
            "enum",
            "AlgorithmSpecification.TrainingInputMode is 'Files'; AWS takes",
        ),
    ],
)  # fmt: skip
def test_a_wrong_request_is_found(changes: dict[str, Any], rule: str, message: str) -> None:
    ((found, text),) = problems(task(TRAIN, training(**changes)))
    assert found == rule
    assert message in text


def test_a_missing_member_beside_expressions_is_found() -> None:
    arguments = training()
    del arguments["RoleArn"]
    ((_, text),) = problems(task(TRAIN, arguments))
    assert 'Missing required parameter in input: "RoleArn"' in text


@pytest.mark.parametrize("resource", ["arn:aws:states:::nonsense:publish", "arn:aws:states:::sns:publishh", "x"])
def test_a_call_that_nobody_knows_is_found(resource: str) -> None:
    ((rule, text),) = problems(task(resource, {}))
    assert rule == "resource"
    assert resource in text


@pytest.mark.parametrize(
    ("resource", "name"),
    [
        ("arn:aws:states:::lambda:invoke", "Invoke"),
        ("arn:aws:states:::aws-sdk:sagemaker:updateEndpoint", "UpdateEndpoint"),
        ("arn:aws:states:::aws-sdk:sfn:startExecution", "StartExecution"),
        ("arn:aws:states:::sagemaker:createTrainingJob.sync", "CreateTrainingJob"),
    ],
)
def test_calls_are_found_as_step_functions_names_them(resource: str, name: str) -> None:
    operation = operation_of(resource)
    assert operation is not None
    assert operation.name == name


@pytest.mark.parametrize(
    ("resource", "field"),
    [
        ("arn:aws:states:::sagemaker:createTrainingJob.sync", "RetryStrategy"),
        ("arn:aws:states:::sagemaker:updateEndpoint", "DeploymentConfig"),
    ],
)
def test_a_field_that_the_api_takes_and_the_integration_does_not_is_found(resource: str, field: str) -> None:
    """Both are in botocore's model; Step Functions refuses to make such a state machine."""
    arguments = training() if "Training" in resource else {"EndpointName": "e", "EndpointConfigName": "c"}
    found = dict(problems(task(resource, {**arguments, field: "{% $x %}"})))
    assert f"Step Functions does not take the field {field}" in found["integration"]
    through_sdk = resource.replace(":::", ":::aws-sdk:").removesuffix(".sync")
    assert "integration" not in dict(problems(task(through_sdk, {**arguments, field: "{% $x %}"})))


def test_a_call_without_an_integration_of_its_own_is_found() -> None:
    found = dict(problems(task("arn:aws:states:::sagemaker:createModelPackage", {})))
    assert "no optimized call createModelPackage; use aws-sdk:sagemaker:createModelPackage" in found["integration"]


def test_a_request_of_which_a_part_may_be_absent_is_checked_all_the_same() -> None:
    right = {"EndpointName": "e", "EndpointConfigName": "{% $c %}"}
    resource = "arn:aws:states:::sagemaker:updateEndpoint"
    assert list(problems(task(resource, with_optional(right, "$plan.more")))) == []
    found = dict(problems(task(resource, with_optional({**right, "EndpointNam": 1}, "$plan.more"))))
    assert set(found) == {"parameters"}


def test_a_request_that_is_all_computed_is_found() -> None:
    assert list(dict(problems(task(TRAIN, "{% $plan.request %}")))) == ["computed"]


def test_a_functions_payload_is_any_json() -> None:
    state = task("arn:aws:states:::lambda:invoke", {"FunctionName": "f", "Payload": {"a": ["{% $b %}"]}})
    assert list(problems(state)) == []


def test_tasks_inside_maps_and_branches_are_checked(tmp_path: Path) -> None:
    wrong = task(SNS, {"TopicArn": "x"})  # no Message
    each = {"Type": "Map", "ItemProcessor": {"StartAt": "Inner", "States": {"Inner": wrong}}, "End": True}
    branches = {"Type": "Parallel", "Branches": [{"StartAt": "Deep", "States": {"Deep": wrong}}], "Next": "Each"}
    collector = Collector()
    check_requests([template(tmp_path, {"Machine": machine({"Both": branches, "Each": each})})], collector)
    assert {(found.where, found.message.split(":")[0]) for found in collector.findings} == {
        ("mw-dev-x/Machine", "Deep"),
        ("mw-dev-x/Machine", "Inner"),
    }
