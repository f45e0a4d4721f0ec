"""What a platform engineer wants of every resource is on every resource."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from own_environments import ACCOUNT, BOUNDARY, STRICT, TAGS, project_with
from template_queries import Stack, read_stack, read_stacks

from modelwright.client.deploys.synth import ensure_assembly

if TYPE_CHECKING:
    from pathlib import Path

UNTAGGABLE = {  # CloudFormation has no Tags for them: they are parts of what has
    "AWS::Events::EventBusPolicy",
    "AWS::KMS::Alias",
    "AWS::Lambda::EventInvokeConfig",
    "AWS::Lambda::Permission",
    "AWS::Logs::ResourcePolicy",
    "AWS::S3::BucketPolicy",
    "AWS::SNS::Subscription",
    "AWS::SNS::TopicPolicy",
    "AWS::SQS::QueuePolicy",
}


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return ensure_assembly(project_with(tmp_path_factory.mktemp("strict") / "p", strict=STRICT), "strict")


@pytest.fixture(scope="module")
def stack(strict: Path) -> Stack:
    return read_stack(strict, "mw-strict-penguins")


def roles(assembly: Path) -> list[dict[str, Any]]:
    return [role for stack in read_stacks(assembly) for role in stack.all("AWS::IAM::Role").values()]


def test_every_role_has_the_path_and_the_boundary(strict: Path) -> None:
    found = roles(strict)
    assert len(found) > 10
    assert {(role["Path"], role["PermissionsBoundary"]) for role in found} == {("/ml/platform/", BOUNDARY)}


def test_without_settings_no_role_has_either(assembly: Path) -> None:
    assert not [role for role in roles(assembly) if {"Path", "PermissionsBoundary"} & set(role)]


def test_everything_that_can_have_tags_has_them(strict: Path) -> None:
    for stack in read_stacks(strict):
        for name, resource in stack.resources():
            if resource["Type"] not in UNTAGGABLE:
                assert _tags(resource["Properties"]).items() >= TAGS.items(), name


def test_stacks_are_tagged_too(strict: Path) -> None:
    artifacts = json.loads((strict / "manifest.json").read_text("utf-8"))["artifacts"].values()
    found = [item["properties"] for item in artifacts if item["type"] == "aws:cloudformation:stack"]
    assert len(found) >= 3
    assert all(item["tags"] == TAGS for item in found)


def test_what_a_run_makes_has_the_tags_and_its_own(stack: Stack) -> None:
    states = stack.definition()["States"]
    for name in ("ProcessData", "TrainModel", "EvaluateModel", "CreateModel", "CreateEndpoint"):
        found = _tags(states[name]["Arguments"])
        assert found.items() >= TAGS.items(), name
        assert found["modelwright:environment"] == "strict"
        assert found["modelwright:pipeline"] == "penguins"
    assert (
        "'team'" in states["CreateEndpointConfig"]["Arguments"]
        or '"team"' in states["CreateEndpointConfig"]["Arguments"]
    )
    assert _tags(states["RestoreEndpoint"]["Arguments"]["Payload"], "tags").items() >= TAGS.items()


def test_the_bootstrap_stack_of_the_qualifier_is_used_and_no_other(strict: Path) -> None:
    texts = [path.read_text("utf-8") for path in strict.glob("*.json")]
    assert any(f"cdk-mlteam-assets-{ACCOUNT}-eu-central-1" in text for text in texts)
    assert any("/cdk-bootstrap/mlteam/version" in text for text in texts)
    assert not [text for text in texts if "hnb659fds" in text]


def test_without_a_qualifier_it_is_cdks_own(assembly: Path) -> None:
    assert "/cdk-bootstrap/hnb659fds/version" in (assembly / "mw-dev-data.template.json").read_text("utf-8")


def test_the_data_bucket_denies_roles_under_any_path(strict: Path) -> None:
    (policy,) = (
        policy
        for policy in read_stack(strict, "mw-strict-data").all("AWS::S3::BucketPolicy").values()
        if "PipelinesNeverWrite" in json.dumps(policy)
    )
    (deny,) = (item for item in policy["PolicyDocument"]["Statement"] if item["Sid"] == "PipelinesNeverWrite")
    patterns = deny["Condition"]["ArnLike"]["aws:PrincipalArn"]
    assert any(pattern.endswith(":role/*/mw-strict-*") for pattern in patterns)


def _tags(holder: dict[str, Any], key: str = "Tags") -> dict[str, str]:
    tags = holder.get(key, {})
    return tags if isinstance(tags, dict) else {tag["Key"]: tag["Value"] for tag in tags}
