"""The validators on small templates: what is right passes, each fault is found and named."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from modelwright.client.checks.checkov import check_checkov
from modelwright.client.checks.lint import check_lint
from modelwright.client.checks.parliament import check_parliament
from modelwright.client.checks.programs import ensure_environment
from modelwright.client.checks.quotas import check_quotas
from modelwright.client.checks.report import Accepted, CheckReport, Collector, Finding
from modelwright.client.checks.requests import check_requests, operation_of, problems
from modelwright.client.checks.templates import Template, read_templates, sample
from modelwright.errors import ChecksUnavailable
from modelwright.workflow.expressions import with_optional

if TYPE_CHECKING:
    from pathlib import Path

SNS = "arn:aws:states:::sns:publish"
TRAIN = "arn:aws:states:::sagemaker:createTrainingJob.sync"


def task(resource: str, arguments: Any) -> dict[str, Any]:
    return {"Type": "Task", "Resource": resource, "Arguments": arguments, "End": True}


def training(**changes: Any) -> dict[str, Any]:
    return {
        "TrainingJobName": "{% $name %}",
        "AlgorithmSpecification": {"TrainingImage": "{% $image %}", "TrainingInputMode": "File"},
        "RoleArn": "arn:aws:iam::123456789012:role/x-with-twenty-letters",
        "OutputDataConfig": {"S3OutputPath": "s3://x/y/"},
        "ResourceConfig": "{% $resources %}",
        "StoppingCondition": {"MaxRuntimeInSeconds": "{% $seconds %}"},
        **changes,
    }


def template(tmp_path: Path, resources: dict[str, Any], stack: str = "mw-dev-x") -> Template:
    path = tmp_path / f"{stack}.template.json"
    body = {"Resources": resources}
    path.write_text(json.dumps(body))
    return Template(stack, path, body)


def machine(states: dict[str, Any]) -> dict[str, Any]:
    definition = {"StartAt": next(iter(states)), "QueryLanguage": "JSONata", "States": states}
    return {
        "Type": "AWS::StepFunctions::StateMachine",
        "Properties": {
            "DefinitionString": json.dumps(definition),
            "DefinitionSubstitutions": {"TopicArn": {"Ref": "Topic"}},
            "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
        },
    }


# --- requests


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


# --- quotas


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


# --- cfn-lint


def lint(found: Template) -> Collector:
    collector = Collector()
    check_lint([found], collector)
    return collector


def test_cfn_lint_reads_the_state_machine_and_takes_acceptances_by_place(tmp_path: Path) -> None:
    """One run for both sides: the tool takes two seconds to start."""
    states = {
        "A": {**task(SNS, {"TopicArn": "${TopicArn}", "Message": "m"}), "TimeoutSeconds": "{% $x %}"},
        "B": {**task(SNS, {"TopicArn": "${TopicArn}", "Message": "m"}), "TimeoutSeconds": "{% $y %}"},
    }
    resource = machine(states)
    resource["Properties"]["RoleArn"] = "arn:aws:iam::123456789012:role/x"
    accepted = {"E3601[States/A/TimeoutSeconds]": "an expression", "E3601[States/Z/TimeoutSeconds]": "stale"}
    resource["Metadata"] = {"modelwright": {"cfn-lint": accepted}}
    collector = lint(template(tmp_path, {"Machine": resource, "Topic": {"Type": "AWS::SNS::Topic"}}))
    found = {finding.id: finding for finding in collector.findings}
    assert set(found) == {"E3601[States/B/TimeoutSeconds]", "E3601[States/Z/TimeoutSeconds]"}
    assert found["E3601[States/B/TimeoutSeconds]"].where == "mw-dev-x/Machine"
    assert "not found: take the acceptance away" in found["E3601[States/Z/TimeoutSeconds]"].message
    assert [(item.id, item.reason) for item in collector.accepted] == [
        ("E3601[States/A/TimeoutSeconds]", "an expression")
    ]


# --- checkov, with a small program in its place


def checkov_environment(root: Path, answer: str) -> None:
    (root / "requirements-checks.txt").write_text("")
    folder = root / ".venv-checks"
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "python").symlink_to(os.path.realpath("/bin/sh"))
    (folder / "bin" / "checkov").write_text(f"cat <<'END'\n{answer}\nEND\n")
    (folder / ".complete").write_text("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")


def test_checkovs_answer_is_read(tmp_path: Path) -> None:
    where = {"file_path": "/x/mw-dev-x.template.json", "resource": "AWS::S3::Bucket.Open"}
    failed = [
        {**where, "check_id": "CKV_AWS_18", "check_name": "Ensure access logs"},
        {**where, "check_id": "CKV_AWS_21", "check_name": "Ensure versions"},
    ]
    answer = {"results": {"failed_checks": failed, "parsing_errors": []}}
    checkov_environment(tmp_path, json.dumps(answer))
    skip = [{"id": "CKV_AWS_21", "comment": "no versions wanted"}, {"id": "CKV_AWS_19", "comment": "not needed now"}]
    bucket = {"Type": "AWS::S3::Bucket", "Metadata": {"checkov": {"skip": skip}}}
    collector = Collector()
    check_checkov(tmp_path / ".venv-checks/bin/python", [template(tmp_path, {"Open": bucket})], collector)
    assert collector.findings == [
        Finding("checkov", "CKV_AWS_18", "mw-dev-x/Open", "Ensure access logs"),
        Finding("checkov", "CKV_AWS_19", "mw-dev-x/Open", "is accepted but not found: take the acceptance away"),
    ]
    assert collector.accepted == [Accepted("checkov", "CKV_AWS_21", "mw-dev-x/Open", "no versions wanted")]


@pytest.mark.parametrize("answer", ["Traceback: broken", '{"passed": 0, "failed": 0}'])
def test_a_checkov_that_looked_at_nothing_has_not_passed(tmp_path: Path, answer: str) -> None:
    checkov_environment(tmp_path, answer)
    with pytest.raises(ChecksUnavailable, match="checkov"):
        check_checkov(tmp_path / ".venv-checks/bin/python", [template(tmp_path, {})], Collector())


def test_a_parliament_that_answers_nothing_has_not_passed(tmp_path: Path) -> None:
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho broken >&2\n")
    broken.chmod(0o755)
    with pytest.raises(ChecksUnavailable, match="parliament failed: broken"):
        check_parliament(broken, [template(tmp_path, {})], Collector())


def test_an_environment_of_other_requirements_is_made_anew(tmp_path: Path) -> None:
    checkov_environment(tmp_path, "{}")
    (tmp_path / "requirements-checks.txt").write_text("no-such-package-of-modelwright==0  # not even a hash\n")
    with pytest.raises(ChecksUnavailable, match=r"checkov and parliament could not be installed into \.venv-checks"):
        ensure_environment(tmp_path)
    assert not (tmp_path / ".venv-checks" / ".complete").exists()


def test_without_requirements_there_is_no_checkov(tmp_path: Path) -> None:
    with pytest.raises(ChecksUnavailable, match=r"There is no requirements-checks\.txt"):
        ensure_environment(tmp_path)


# --- reports


def test_a_report_says_how_much_was_found_and_accepted() -> None:
    finding = Finding("checkov", "CKV_1", "stack/Bucket", "is open")
    report = CheckReport(
        (finding,), (Accepted("cdk-nag", "S1", "stack/Logs", "it is the log bucket"),), ("cdk-nag", "checkov")
    )
    assert not report.ok
    assert report.summary() == "cdk-nag, checkov: 1 finding, 1 accepted with a reason."
    assert str(finding) == "stack/Bucket: is open (checkov CKV_1)"
    assert str(report.accepted[0]) == "stack/Logs: cdk-nag S1: it is the log bucket"


def test_only_stacks_are_templates(tmp_path: Path) -> None:
    (tmp_path / "a.template.json").write_text('{"Resources": {"B": {"Type": "AWS::S3::Bucket"}}}')
    artifacts = {
        "a": {"type": "aws:cloudformation:stack", "properties": {"templateFile": "a.template.json"}},
        "a.assets": {"type": "cdk:asset-manifest", "properties": {"file": "a.assets.json"}},
    }
    (tmp_path / "manifest.json").write_text(json.dumps({"artifacts": artifacts}))
    (found,) = read_templates(tmp_path)
    assert (found.stack, [name for name, _ in found.resources()]) == ("a", ["B"])
