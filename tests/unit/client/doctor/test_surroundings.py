"""`doctor --aws` and what a pipeline needs that is not ours: buckets, repositories, identity providers, boundaries."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from fake_account import ACCOUNT, FakeAccount, Refusal

from modelwright.config.hosting import Api

from .conftest import of

if TYPE_CHECKING:
    from modelwright.client.doctor import Finding
    from modelwright.config import PipelineSettings, Project

Examine = Callable[..., "list[Finding]"]
IN_S3 = "s3://producers/penguins/"


@pytest.fixture
def external(loaded: Project) -> PipelineSettings:
    penguins = loaded.pipelines["penguins"]
    return replace(penguins, data=replace(penguins.data, source=IN_S3))


@pytest.mark.parametrize(
    ("head", "listed", "level", "words"),
    [
        ({"BucketRegion": "eu-central-1"}, 1, "ok", f"penguins: {IN_S3} can be read."),
        ({"BucketRegion": "eu-central-1"}, 0, "warning", f"penguins: there is nothing under {IN_S3} yet."),
        (
            {"BucketRegion": "us-east-1"},
            1,
            "failure",
            "the bucket producers is in us-east-1; SageMaker reads from its own",
        ),
        (Refusal("404", "Not Found", 404), 1, "failure", "penguins: there is no bucket producers."),
        (Refusal("403", "Forbidden", 403), 1, "warning", "the bucket producers is there, and not yours to read."),
    ],
)
def test_a_data_bucket_that_is_not_ours(  # noqa: PLR0917 # a table
    account: FakeAccount, examine: Examine, external: PipelineSettings, head: Any, listed: int, level: str, words: str
) -> None:
    account.answers["s3:HeadBucket"] = head
    account.answers["s3:ListObjectsV2"] = {"KeyCount": listed}
    ((found, message, _),) = of(examine(external), "buckets")
    assert found == level
    assert words in message


@pytest.mark.parametrize(
    ("answer", "level"),
    [
        ({"branch": {"branchName": "main", "commitId": "0" * 40}}, "ok"),
        (Refusal("RepositoryDoesNotExistException"), "failure"),
        (Refusal("BranchDoesNotExistException"), "warning"),
    ],
)
def test_a_codecommit_repository(
    account: FakeAccount, examine: Examine, loaded: Project, answer: Any, level: str
) -> None:
    penguins = loaded.pipelines["penguins"]
    account.answers["codecommit:GetBranch"] = answer
    merged = replace(penguins, triggers=replace(penguins.triggers, merge_codecommit="models"))
    assert [found for found, *_ in of(examine(merged), "repositories")] == [level]
    assert account.asked("codecommit:GetBranch") == [{"repositoryName": "models", "branchName": "main"}]


PROVIDER = f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com"


@pytest.fixture
def on_github(loaded: Project) -> PipelineSettings:
    penguins = loaded.pipelines["penguins"]
    return replace(penguins, triggers=replace(penguins.triggers, merge_github="owner/models"))


@pytest.mark.parametrize(
    ("answer", "level"),
    [
        ({"Url": "token.actions.githubusercontent.com", "ClientIDList": ["sts.amazonaws.com"]}, "ok"),
        ({"Url": "token.actions.githubusercontent.com", "ClientIDList": ["somebody"]}, "failure"),
        (Refusal("NoSuchEntity"), "failure"),
    ],
)
def test_an_identity_provider_that_is_named(
    account: FakeAccount, examine: Examine, on_github: PipelineSettings, answer: Any, level: str
) -> None:
    account.answers["iam:GetOpenIDConnectProvider"] = answer
    assert [found for found, *_ in of(examine(on_github, oidc_provider=PROVIDER), "oidc provider")] == [level]


def test_an_identity_provider_that_is_to_be_made(
    account: FakeAccount, examine: Examine, on_github: PipelineSettings
) -> None:
    account.answers["iam:ListOpenIDConnectProviders"] = {"OpenIDConnectProviderList": []}
    assert [found for found, *_ in of(examine(on_github, oidc_provider="create"), "oidc provider")] == ["ok"]

    account.answers["iam:ListOpenIDConnectProviders"] = {"OpenIDConnectProviderList": [{"Arn": PROVIDER}]}
    ((level, message, hint),) = of(examine(on_github, oidc_provider="create"), "oidc provider")
    assert level == "failure"
    assert message.startswith(f"the account has {PROVIDER} already, and can have one of that issuer only")
    assert hint == f"Write `oidc_provider: {PROVIDER}` in environments/dev.yaml in place of `create`."

    ours = {"ResourceType": "AWS::IAM::OIDCProvider", "PhysicalResourceId": PROVIDER, "LogicalResourceId": "P"}
    made = {"Timestamp": "2026-11-20T00:00:00Z", "ResourceStatus": "CREATE_COMPLETE", **ours}
    account.answers["cloudformation:DescribeStackResources"] = {"StackResources": [made]}
    assert [found for found, *_ in of(examine(on_github, oidc_provider="create"), "oidc provider")] == ["ok"]


def test_a_boundary_that_is_not_there(account: FakeAccount, examine: Examine) -> None:
    arn = f"arn:aws:iam::{ACCOUNT}:policy/bounds"
    account.answers["iam:GetPolicy"] = {"Policy": {"Arn": arn}}
    assert of(examine(permissions_boundary=arn), "boundary") == [("ok", f"{arn} is there.", None)]
    account.answers["iam:GetPolicy"] = Refusal("NoSuchEntity")
    ((level, message, _),) = of(examine(permissions_boundary=arn), "boundary")
    assert (level, message) == ("failure", f"there is no policy {arn}.")


OTHERS = "arn:aws:iam::123456789012:role/others"


@pytest.mark.parametrize(
    ("setting", "role", "ours", "level", "words"),
    [
        ("existing", None, False, "failure", "API Gateway has no role to write logs with in eu-central-1"),
        ("existing", OTHERS, False, "ok", f"API Gateway writes them as {OTHERS}."),
        ("create", None, False, "ok", "a deploy makes the role for them."),
        ("create", OTHERS, True, "ok", f"API Gateway writes them as {OTHERS}."),
        ("create", OTHERS, False, "warning", "a deploy puts another role in its place, for all APIs of the account."),
    ],
)
def test_the_accounts_role_for_logs_of_apis(  # noqa: PLR0917 # a table
    account: FakeAccount,
    examine: Examine,
    loaded: Project,
    setting: str,
    role: str | None,
    ours: bool,
    level: str,
    words: str,
) -> None:
    penguins = loaded.pipelines["penguins"]
    served = replace(penguins, deploy=replace(penguins.deploy, api=Api("iam", 10, 20, None, None)))
    account.answers["apigateway:GetAccount"] = {"cloudwatchRoleArn": role} if role else {}
    if ours:
        made = {"LogicalResourceId": "ApiLogs", "ResourceType": "AWS::ApiGateway::Account", "PhysicalResourceId": "x"}
        made |= {"Timestamp": "2026-11-20T00:00:00Z", "ResourceStatus": "CREATE_COMPLETE"}
        account.answers["cloudformation:DescribeStackResources"] = {"StackResources": [made]}
    ((found, message, _),) = of(examine(served, api_logs=setting), "api logs")
    assert found == level
    assert words in message


def test_without_an_api_nobody_asks_for_it(account: FakeAccount, examine: Examine) -> None:
    assert of(examine(), "api logs") == []
    assert "apigateway:GetAccount" not in {name for name, _ in account.calls}
