"""An account that is ready for the sample pipeline, and in which nothing is deployed yet."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fake_account import ACCOUNT, FakeAccount, Refusal

from modelwright.client.doctor import Finding, examine_account
from modelwright.config import load_project

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from modelwright.config import PipelineSettings, Project

REPOSITORY = Path(__file__).parents[4]
ARN = f"arn:aws:iam::{ACCOUNT}:user/somebody"
NO_STACK = Refusal("ValidationError", "Stack with id mw-dev does not exist")
QUOTAS = (
    "ml.m5.large for training job usage",
    "Concurrently running builds for Linux/Small environment",
    "ml.m5.large for processing job usage",
    "ml.m5.large for transform job usage",
    "ml.t2.medium for endpoint usage",
)


def quotas(**values: float) -> dict[str, Any]:
    """ListServiceQuotas' answer; `training=0` is the quota of training jobs."""
    found = dict.fromkeys(QUOTAS, 4.0)
    for purpose, value in values.items():
        found[next(name for name in QUOTAS if purpose in name)] = value
    return {
        "Quotas": [
            {"QuotaName": name, "QuotaCode": f"L-{number}", "Value": value, "ServiceCode": "sagemaker"}
            for number, (name, value) in enumerate(found.items())
        ]
    }


def _image(params: Mapping[str, Any]) -> dict[str, Any]:
    return {"images": [{"registryId": params["registryId"], "imageId": params["imageIds"][0]}], "failures": []}


def stack(name: str, status: str, reason: str | None = None) -> dict[str, Any]:
    """A summary of ListStacks."""
    said = {"StackStatusReason": reason} if reason else {}
    about = {} if status == "REVIEW_IN_PROGRESS" else {"TemplateDescription": "modelwright dev: a test's"}
    return {"StackName": name, "StackStatus": status, "CreationTime": "2026-11-20T00:00:00Z", **about, **said}


def healthy() -> FakeAccount:
    return FakeAccount(
        {
            "sts:GetCallerIdentity": {"Account": ACCOUNT, "Arn": ARN, "UserId": "AIDA"},
            "ssm:GetParameter": {"Parameter": {"Name": "version", "Value": "30"}},
            "ssm:GetParameters": {"Parameters": []},
            "cloudformation:ListStacks": {"StackSummaries": []},
            "cloudformation:DescribeStacks": NO_STACK,
            "cloudformation:DescribeStackResources": NO_STACK,
            "dynamodb:DescribeTable": Refusal("ResourceNotFoundException"),
            "ecr:DescribeRepositories": Refusal("RepositoryNotFoundException"),
            "sagemaker:DescribeModelPackageGroup": Refusal("ValidationException", "ModelPackageGroup does not exist."),
            "service-quotas:ListServiceQuotas": quotas(),
            "service-quotas:ListAWSDefaultServiceQuotas": quotas(),
            "ecr:BatchGetImage": _image,
            "sagemaker:DescribeEndpoint": Refusal("ValidationException", 'Could not find endpoint "arn:aws:..".'),
            "logs:DescribeResourcePolicies": {"resourcePolicies": []},
        }
    )


@pytest.fixture
def account() -> FakeAccount:
    return healthy()


@pytest.fixture(scope="session")
def loaded() -> Project:
    return load_project(REPOSITORY, "dev")


@pytest.fixture
def examine(account: FakeAccount, loaded: Project) -> Callable[..., list[Finding]]:
    """Examine the account; keywords change the environment's settings, `pipeline` the sample pipeline."""

    def run(pipeline: PipelineSettings | None = None, **settings: Any) -> list[Finding]:
        found = pipeline or loaded.pipelines["penguins"]
        environment = replace(loaded.environment, **settings)
        project = replace(loaded, environment=environment, pipelines={found.name: found})
        return examine_account(project, project.pipelines, account.session)  # type: ignore[arg-type]

    return run


def of(findings: list[Finding], check: str) -> list[tuple[str, str, str | None]]:
    """Level, message and hint of what a check found."""
    return [(item.level, item.message, item.hint) for item in findings if item.check == check]


def bad(findings: list[Finding]) -> list[Finding]:
    return [item for item in findings if item.level != "ok"]
