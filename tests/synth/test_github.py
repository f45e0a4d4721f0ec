"""What merges from GitHub put into the template: the provider, and a role for one branch that only publishes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Environment
from template_queries import Role, Stack, read_stack

from modelwright.client.checks.authorizations import check_authorizations
from modelwright.client.checks.parliament import check_parliament
from modelwright.client.checks.programs import ensure_environment
from modelwright.client.checks.report import Collector
from modelwright.client.checks.templates import read_templates
from modelwright.config.environment import EnvironmentSettings
from modelwright.config.structure import PipelineStructure
from stacks.data_stack import DataStack
from stacks.pipeline_stack import PipelineStack

ISSUER = "token.actions.githubusercontent.com"
PROVIDER = f"arn:<AWS::Partition>:iam::<AWS::AccountId>:oidc-provider/{ISSUER}"
ARTIFACTS = "arn:<AWS::Partition>:s3:::<SharedArtifactBucket>"
SETTINGS = EnvironmentSettings("dev", "eu-central-1", oidc_provider="create")
STRUCTURE = PipelineStructure(
    pipeline="whales",
    endpoint="realtime",
    merge_branch="trunk",
    schedule=None,
    external_data=None,
    merge_github="octo-org@1/octo-repo@2",
)


def synthesized(folder: Path, settings: EnvironmentSettings, structure: PipelineStructure) -> Path:
    app = App(analytics_reporting=False, outdir=str(folder), builtin_cloud_formation_validation=False)
    env = Environment(account=settings.account, region=settings.region)
    DataStack(app, settings, env)
    PipelineStack(app, settings, structure, env)
    app.synth()
    return folder


@pytest.fixture(scope="module")
def outdir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return synthesized(tmp_path_factory.mktemp("github"), SETTINGS, STRUCTURE)


@pytest.fixture(scope="module")
def stack(outdir: Path) -> Stack:
    return read_stack(outdir, "mw-dev-whales")


@pytest.fixture(scope="module")
def role(stack: Stack) -> Role:
    return stack.role(output(stack, "GitHubRoleArn"))


def output(stack: Stack, name: str) -> str:
    logical_id, attribute = stack.body["Outputs"][name]["Value"]["Fn::GetAtt"]
    return f"<{logical_id}.{attribute}>"


def test_exactly_one_branch_of_one_repository_is_trusted(role: Role) -> None:
    assert role.trust == {
        "Sid": "OneBranch",
        "Effect": "Allow",
        "Principal": {"Federated": PROVIDER},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {
            "StringEquals": {
                f"{ISSUER}:aud": "sts.amazonaws.com",
                f"{ISSUER}:sub": "repo:octo-org@1/octo-repo@2:ref:refs/heads/trunk",
            }
        },
    }


def test_it_publishes_and_announces_and_does_nothing_else(role: Role) -> None:
    assert role.actions() == {
        "cloudformation:DescribeStacks",
        "s3:PutObject",
        "s3:ListBucket",
        "kms:GenerateDataKey",
        "events:PutEvents",
    }


@pytest.mark.parametrize("folder", ["releases", "commits", "code", "datasets"])
def test_it_writes_what_a_release_is_made_of_of_its_own_pipeline(role: Role, folder: str) -> None:
    assert role.allows("s3:PutObject", f"{ARTIFACTS}/{folder}/whales/x")
    assert not role.allows("s3:PutObject", f"{ARTIFACTS}/{folder}/whales-2/x")


@pytest.mark.parametrize("key", ["models/whales/x", "runs/whales/x", "defaults/whales.json", "incoming/whales/x"])
def test_it_writes_nothing_else(role: Role, key: str) -> None:
    assert not role.allows("s3:PutObject", f"{ARTIFACTS}/{key}")
    assert not role.allows("s3:PutObject", f"arn:<AWS::Partition>:s3:::<SharedDataBucket>/{key}")


def test_it_lists_its_own_prefixes_only(role: Role) -> None:
    folders = ("releases", "commits", "code", "datasets")
    wanted = {"StringLike": {"s3:prefix": [f"{folder}/whales/*" for folder in folders]}}
    assert role.statement("s3:ListBucket")["Condition"] == wanted


def test_it_puts_no_other_event_than_a_merge_on_no_other_bus(role: Role) -> None:
    found = role.statement("events:PutEvents")
    bus = "arn:<AWS::Partition>:events:<AWS::Region>:<AWS::AccountId>:event-bus/<SharedEventBusName>"
    assert found["Resource"] == bus
    assert found["Condition"] == {"StringEquals": {"events:source": "modelwright", "events:detail-type": "Merge"}}


def test_it_reads_the_outputs_of_its_own_stack_only(role: Role) -> None:
    arn = "arn:<AWS::Partition>:cloudformation:<AWS::Region>:<AWS::AccountId>:stack"
    assert role.allows("cloudformation:DescribeStacks", f"{arn}/mw-dev-whales/id")
    assert not role.allows("cloudformation:DescribeStacks", f"{arn}/mw-dev-whales-data/id")


def test_the_provider_is_made_once_and_outlives_its_stack(outdir: Path) -> None:
    data = read_stack(outdir, "mw-dev-data")
    logical_id, properties = data.one("AWS::IAM::OIDCProvider")
    assert properties == {"Url": f"https://{ISSUER}", "ClientIdList": ["sts.amazonaws.com"]}
    resource: dict[str, Any] = data.body["Resources"][logical_id]
    assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")


def test_a_provider_that_the_account_has_is_trusted_and_not_made(tmp_path: Path) -> None:
    given = f"arn:aws:iam::123456789012:oidc-provider/{ISSUER}"
    made = synthesized(tmp_path, replace(SETTINGS, oidc_provider=given, account="123456789012"), STRUCTURE)
    assert read_stack(made, "mw-dev-data").all("AWS::IAM::OIDCProvider") == {}
    stack = read_stack(made, "mw-dev-whales")
    principal = stack.role(output(stack, "GitHubRoleArn")).trust["Principal"]
    assert principal == {"Federated": PROVIDER}


def test_what_validators_of_policies_find_is_accepted_with_a_reason(outdir: Path) -> None:
    python = ensure_environment(Path(__file__).parents[2])
    collector = Collector()
    templates = read_templates(outdir)
    check_parliament(python, templates, collector)
    check_authorizations(templates, collector)
    report = collector.report()
    assert [str(finding) for finding in report.findings if "GitHub" in finding.where] == []
    accepted = {item.id.partition("[")[0] for item in report.accepted if "GitHub" in item.where}
    assert accepted == {"UNKNOWN_CONDITION_FOR_ACTION", "UNKNOWN_FEDERATION_SOURCE"}


def test_without_github_nobody_is_let_in(assembly: Path) -> None:
    stack = read_stack(assembly, "mw-dev-penguins")
    assert "GitHubRoleArn" not in stack.body["Outputs"]
    assert not [role for role in stack.roles() if "Federated" in role.trust["Principal"]]
    assert read_stack(assembly, "mw-dev-data").all("AWS::IAM::OIDCProvider") == {}
