"""What each role may do and what it may not: both sides of each rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from template_queries import Stack, as_list, read_stack, read_stacks

if TYPE_CHECKING:
    from pathlib import Path

DATA = "arn:<AWS::Partition>:s3:::<SharedDataBucket>"
ARTIFACTS = "arn:<AWS::Partition>:s3:::<SharedArtifactBucket>"
SAGEMAKER = "arn:<AWS::Partition>:sagemaker:<AWS::Region>:<AWS::AccountId>:"
ECR = "arn:<AWS::Partition>:ecr:<AWS::Region>:<AWS::AccountId>:repository"
RUN = "0123456789ab"
KEY = "<SharedKeyArn>"


@pytest.fixture(scope="module")
def stack(assembly: Path) -> Stack:
    return read_stack(assembly, "mw-dev-penguins")


@pytest.mark.parametrize(
    ("kind", "action", "resource"),
    [
        ("Processing", "s3:GetObject", f"{ARTIFACTS}/datasets/penguins/abc/penguins.csv"),
        ("Processing", "s3:GetObject", f"{DATA}/incoming/penguins/day-1/penguins.csv"),
        ("Processing", "s3:ListBucket", DATA),
        ("Processing", "s3:GetObject", f"{ARTIFACTS}/code/penguins/abc/files/process.py"),
        ("Processing", "s3:GetObject", f"{ARTIFACTS}/runs/penguins/{RUN}/training/j/output/model.tar.gz"),
        ("Processing", "s3:PutObject", f"{ARTIFACTS}/runs/penguins/{RUN}/train/train.csv"),
        ("Processing", "s3:PutObject", f"{ARTIFACTS}/runs/penguins/{RUN}/evaluation/evaluation.json"),
        ("Training", "s3:GetObject", f"{ARTIFACTS}/code/penguins/abc/code.tar.gz"),
        ("Training", "s3:GetObject", f"{ARTIFACTS}/runs/penguins/{RUN}/train/train.csv"),
        ("Training", "s3:PutObject", f"{ARTIFACTS}/runs/penguins/{RUN}/training/j/output/model.tar.gz"),
        ("Training", "kms:CreateGrant", KEY),
        ("Training", "kms:GenerateDataKey", KEY),
        ("Hosting", "s3:GetObject", f"{ARTIFACTS}/models/penguins/abc/model.tar.gz"),
        ("Hosting", "kms:Decrypt", KEY),
        ("Hosting", "ecr:BatchGetImage", f"{ECR}/mw-dev-penguins"),
        ("Hosting", "ecr:GetAuthorizationToken", "*"),
    ],
)  # fmt: skip
def test_sagemaker_may_do_with_a_jobs_role_what_the_job_needs(
    stack: Stack, kind: str, action: str, resource: str
) -> None:
    assert stack.job_role(kind).allows(action, resource)


@pytest.mark.parametrize(
    ("kind", "action", "resource"),
    [
        ("Processing", "s3:PutObject", f"{ARTIFACTS}/datasets/penguins/abc/penguins.csv"),
        ("Processing", "s3:PutObject", f"{DATA}/incoming/penguins/day-1/penguins.csv"),
        ("Processing", "s3:GetObject", f"{ARTIFACTS}/datasets/whales/abc/whales.csv"),
        ("Processing", "s3:GetObject", f"{DATA}/incoming/whales/day-1/whales.csv"),
        ("Processing", "s3:PutObject", f"{ARTIFACTS}/runs/penguins/{RUN}/training/j/output/model.tar.gz"),
        ("Processing", "s3:PutObject", f"{ARTIFACTS}/releases/penguins/abc.json"),
        ("Training", "s3:GetObject", f"{ARTIFACTS}/datasets/penguins/abc/penguins.csv"),
        ("Training", "s3:GetObject", f"{DATA}/incoming/penguins/day-1/penguins.csv"),
        ("Training", "s3:GetObject", f"{ARTIFACTS}/runs/penguins/{RUN}/test/test.csv"),
        ("Training", "s3:PutObject", f"{ARTIFACTS}/models/penguins/abc/model.tar.gz"),
        ("Training", "s3:PutObject", f"{ARTIFACTS}/runs/penguins/{RUN}/evaluation/evaluation.json"),
        ("Training", "s3:GetObject", f"{ARTIFACTS}/runs/whales/{RUN}/train/train.csv"),
        ("Hosting", "s3:PutObject", f"{ARTIFACTS}/models/penguins/abc/model.tar.gz"),
        ("Hosting", "s3:GetObject", f"{ARTIFACTS}/runs/penguins/{RUN}/train/train.csv"),
        ("Hosting", "kms:GenerateDataKey", KEY),
        ("Hosting", "ecr:BatchGetImage", f"{ECR}/mw-dev-whales"),
    ],
)  # fmt: skip
def test_a_jobs_role_may_not_do_more(stack: Stack, kind: str, action: str, resource: str) -> None:
    assert not stack.job_role(kind).allows(action, resource)


@pytest.mark.parametrize(
    ("action", "resource", "allowed"),
    [
        ("sagemaker:CreateTrainingJob", f"training-job/dev-penguins-train-{RUN}-00", True),
        ("sagemaker:CreateTrainingJob", f"training-job/dev-penguins-mark2-train-{RUN}-00", False),
        ("sagemaker:StopProcessingJob", f"processing-job/dev-penguins-evaluate-{RUN}-12", True),
        ("sagemaker:CreateProcessingJob", f"processing-job/dev-penguins-train-{RUN}-00", False),
        ("sagemaker:CreateTrainingJob", f"training-job/prod-penguins-train-{RUN}-00", False),
        ("sagemaker:CreateModel", f"model/dev-penguins-{RUN}-00", True),
        ("sagemaker:CreateModel", f"model/dev-penguins-abcdefghijkl-{RUN}-00", False),
        ("sagemaker:DeleteModel", f"model/dev-penguins-{RUN}-00", False),
        ("sagemaker:UpdateEndpoint", "endpoint/mw-dev-penguins", True),
        ("sagemaker:UpdateEndpoint", "endpoint/mw-dev-whales", False),
        ("sagemaker:UpdateEndpoint", "endpoint/mw-prod-penguins", False),
        ("sagemaker:CreateModelPackage", "model-package-group/mw-dev-penguins", True),
        ("sagemaker:CreateModelPackage", "model-package-group/mw-dev-whales", False),
        ("sagemaker:InvokeEndpoint", "endpoint/mw-dev-penguins", False),
    ],
)
def test_the_state_machine_works_on_its_own_pipeline_only(
    stack: Stack, action: str, resource: str, *, allowed: bool
) -> None:
    assert stack.machine_role().allows(action, SAGEMAKER + resource) is allowed


def test_the_state_machine_hands_on_the_three_job_roles_to_sagemaker_only(stack: Stack) -> None:
    statement = stack.machine_role().statement("iam:PassRole")
    roles = {f"<{stack.job_role(kind).name}.Arn>" for kind in ("Processing", "Training", "Hosting")}
    assert set(statement["Resource"]) == roles
    assert statement["Condition"] == {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}


def test_nobody_else_hands_on_a_role(stack: Stack) -> None:
    passing = [role.name for role in stack.roles() if "iam:PassRole" in role.actions()]
    assert passing == [stack.machine_role().name]


def test_the_state_machine_calls_its_functions_and_no_other(stack: Stack) -> None:
    role = stack.machine_role()
    for logical_id in stack.all("AWS::Lambda::Function"):
        is_a_state = logical_id != "CloseRunFunction"  # that comes after the execution
        assert role.allows("lambda:InvokeFunction", f"<{logical_id}.Arn>") is is_a_state
    other = "arn:<AWS::Partition>:lambda:<AWS::Region>:<AWS::AccountId>:function:other"
    assert not role.allows("lambda:InvokeFunction", other)


def test_rules_start_this_state_machine_and_do_nothing_else(stack: Stack) -> None:
    for name, rule in stack.all("AWS::Events::Rule").items():
        (target,) = rule["Targets"]
        if name == "EndedRule":  # Lambda lets the rule in by the function's own policy
            assert "RoleArn" not in target
            continue
        role = stack.role(target["RoleArn"])
        assert role.actions() == {"states:StartExecution"}
        assert role.allows("states:StartExecution", target["Arn"])


@pytest.mark.parametrize("name", ["check_quality_gate", "acquire_deployment", "promote_model"])
def test_a_function_without_objects_reads_none(stack: Stack, name: str) -> None:
    assert not {action for action in stack.function_role(name).actions() if action.startswith("s3:")}


def test_only_packaging_and_choosing_write_models(stack: Stack) -> None:
    model = f"{ARTIFACTS}/models/penguins/abc/model.tar.gz"
    writers = [name for name in stack.functions() if stack.function_role(name).allows("s3:PutObject", model)]
    assert writers == ["package_model", "choose_model"]


def test_no_role_of_a_pipeline_may_write_data_or_releases(stack: Stack) -> None:
    targets = [
        f"{DATA}/incoming/penguins/a/b.csv",
        *(f"{ARTIFACTS}/{what}/penguins/a" for what in ("datasets", "releases")),
    ]
    writing = ("s3:PutObject", "s3:DeleteObject", "s3:PutObjectAcl")
    for role in stack.roles():
        for target in targets:
            assert not any(role.allows(action, target) for action in writing), role.name


def test_no_policy_has_a_wildcard_in_an_action(assembly: Path) -> None:
    for stack in read_stacks(assembly):
        for role in stack.roles():
            for statement in role.statements:
                assert "NotAction" not in statement
                assert "NotResource" not in statement
                assert not [action for action in as_list(statement["Action"]) if "*" in action], role.name


KNOW_NO_RESOURCE = {
    "cloudwatch:PutMetricData",
    "ecr:GetAuthorizationToken",
    "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
    "logs:GetLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:UpdateLogDelivery",
    "sagemaker:ListEndpointConfigs",
    "sagemaker:ListModels",
    "xray:GetSamplingRules",
    "xray:GetSamplingTargets",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
}
"""Actions for which AWS's service authorization reference has no resource type (or, for logs delivery, asks for *)."""


def test_everything_is_granted_on_named_resources_where_aws_knows_any(stack: Stack) -> None:
    for role in stack.roles():
        for statement in role.statements:
            if statement["Resource"] == "*":
                assert set(as_list(statement["Action"])) <= KNOW_NO_RESOURCE, (role.name, statement["Sid"])


def test_metrics_go_into_known_namespaces_only(stack: Stack) -> None:
    for role in stack.roles():
        if "cloudwatch:PutMetricData" in role.actions():
            condition = role.statement("cloudwatch:PutMetricData")["Condition"]
            assert condition["StringEquals"]["cloudwatch:namespace"], role.name


def test_the_key_is_lent_to_aws_resources_only(stack: Stack) -> None:
    for role in stack.roles():
        if "kms:CreateGrant" in role.actions():
            found = role.statement("kms:CreateGrant")
            assert found["Condition"] == {"Bool": {"kms:GrantIsForAWSResource": "true"}}, role.name


@pytest.mark.parametrize(
    ("service", "source"),
    [("states", "states:{}:stateMachine:*"), ("events", "events:{}:rule/*")],
)
def test_a_service_takes_a_role_for_this_accounts_resources_only(stack: Stack, service: str, source: str) -> None:
    trusts = [
        role.trust for role in stack.roles() if role.trust["Principal"] == {"Service": f"{service}.amazonaws.com"}
    ]
    assert trusts
    wanted = "arn:<AWS::Partition>:" + source.format("<AWS::Region>:<AWS::AccountId>")
    for trust in trusts:
        assert trust["Condition"]["StringEquals"] == {"aws:SourceAccount": "<AWS::AccountId>"}
        assert trust["Condition"]["ArnLike"] == {"aws:SourceArn": wanted}


@pytest.mark.parametrize(
    ("kind", "source"), [("Processing", "processing-job/*"), ("Training", "training-job/*"), ("Hosting", "*")]
)
def test_sagemaker_takes_a_role_for_its_kind_of_work_only(stack: Stack, kind: str, source: str) -> None:
    """Of models and endpoints, SageMaker's source is the text `*`: no name would match it."""
    condition = stack.job_role(kind).trust["Condition"]
    assert condition["StringEquals"] == {"aws:SourceAccount": "<AWS::AccountId>"}
    wanted = f"arn:<AWS::Partition>:sagemaker:<AWS::Region>:<AWS::AccountId>:{source}"
    assert condition["ArnLike"] == {"aws:SourceArn": wanted}


def test_each_role_is_taken_by_exactly_one_kind_of_service(stack: Stack) -> None:
    services = [role.trust["Principal"]["Service"] for role in stack.roles()]
    takers = ("codebuild", "events", "lambda", "sagemaker", "states")
    assert set(services) == {f"{name}.amazonaws.com" for name in takers}
    assert services.count("lambda.amazonaws.com") == len(stack.functions())
