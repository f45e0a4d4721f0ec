"""The callers' policies as documents: named resources, the page, and what the doctor asks for."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fake_account import ACCOUNT, REGION, FakeAccount, Refusal

from modelwright.cli.commands import doctor
from modelwright.client.caller_policy import POLICIES, Place, deploy_policy, document
from modelwright.client.caller_policy.page import PAGE, page
from modelwright.client.removal.scaling import end_unwanted

from .doctor.conftest import healthy

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelwright.config import Project

PROVIDER = f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com"
PLACE = Place("dev", REGION, ACCOUNT, ("penguins", "two-words"))


def test_the_page_is_what_the_code_says() -> None:
    assert PAGE.read_text("utf-8") == page(Place("dev", REGION, "123456789012", ("penguins",))), (
        "stale: python -m modelwright.client.caller_policy"
    )


def test_the_doctor_prints_each() -> None:
    assert tuple(POLICIES) == doctor.POLICIES


@pytest.mark.parametrize("policy", POLICIES.values())
def test_a_policy_fits_and_names_its_resources(policy: Callable[[Place], list[dict[str, Any]]]) -> None:
    statements = policy(PLACE)
    sids = [item["Sid"] for item in statements]
    assert len(set(sids)) == len(sids)
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html: 6,144 characters without white space
    assert len(json.dumps(document(statements), separators=(",", ":"))) <= 6144
    anywhere = {action for item in statements for action in item["Action"] if item["Resource"] == ["*"]}
    assert all(re.match(r"[\w-]+:(Describe|Get|List)", action) for action in anywhere), "nothing is changed on *"
    assert not any("*" in action for item in statements for action in item["Action"])


def test_another_environment_and_another_pipeline_are_not_held() -> None:
    for policy in POLICIES.values():
        for item in policy(PLACE):
            for resource in item["Resource"]:
                assert "two-words-data" not in resource
                assert "mw-*" not in resource


def test_without_a_key_of_its_own_nothing_is_granted_on_keys() -> None:
    for policy in POLICIES.values():
        actions = {action for item in policy(replace(PLACE, own_key=False)) for action in item["Action"]}
        assert not any(action.startswith("kms:") for action in actions)


_AS_ACTIONS = {
    "s3:HeadBucket": "s3:ListBucket",
    "s3:ListObjectsV2": "s3:ListBucket",
    "ecr:BatchGetImage": "ecr:BatchGetImage",
    "apigateway:GetAccount": "apigateway:GET",
}
"""Operations whose action has another name: https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html"""


def test_the_doctor_asks_for_exactly_what_who_deploys_may_look_at(loaded_project: Project) -> None:
    """Everything that can be set is set, so that every check looks."""
    from modelwright.client.doctor import examine_account  # noqa: PLC0415
    from modelwright.config.hosting import Api  # noqa: PLC0415

    account = healthy()
    account.answers |= {
        "service-quotas:ListServiceQuotas": {"Quotas": []},
        "s3:HeadBucket": {"BucketRegion": REGION},
        "s3:ListObjectsV2": {"KeyCount": 0},
        "codecommit:GetBranch": {"branch": {}},
        "apigateway:GetAccount": {},
        "iam:GetPolicy": {"Policy": {}},
        "iam:ListOpenIDConnectProviders": {"OpenIDConnectProviderList": [{"Arn": PROVIDER}]},
        "iam:GetOpenIDConnectProvider": Refusal("NoSuchEntity"),
        "ec2:DescribeSubnets": {"Subnets": [{"SubnetId": "subnet-1", "VpcId": "vpc-1", "AvailableIpAddressCount": 9}]},
        "ec2:DescribeSecurityGroups": {"SecurityGroups": [{"GroupId": "sg-1", "VpcId": "vpc-1"}]},
        "ec2:DescribeVpcEndpoints": {"VpcEndpoints": []},
        "ec2:DescribeRouteTables": {"RouteTables": []},
    }
    from modelwright.config.environment import VpcSettings  # noqa: PLC0415

    penguins = loaded_project.pipelines["penguins"]
    own = replace(
        penguins,
        data=replace(penguins.data, source="s3://producers/x/"),
        deploy=replace(penguins.deploy, api=Api("iam", 10, 20, None, None)),
        triggers=replace(penguins.triggers, merge_codecommit="models", merge_github="owner/models"),
    )
    for provider in ("create", PROVIDER):
        environment = replace(
            loaded_project.environment,
            oidc_provider=provider,
            permissions_boundary=f"arn:aws:iam::{ACCOUNT}:policy/b",
            vpc=VpcSettings(("subnet-1",), ("sg-1",)),
        )
        project = replace(loaded_project, environment=environment, pipelines={"penguins": own})
        examine_account(project, project.pipelines, account.session)  # type: ignore[arg-type]
    asked = {_AS_ACTIONS.get(name, name.replace("service-quotas:", "servicequotas:")) for name, _ in account.calls}
    allowed = {action for item in deploy_policy(PLACE) for action in item["Action"]}
    only_cdk = {"sts:AssumeRole"}
    after_a_failure = {"cloudformation:DescribeStackEvents"}
    assert asked - {"sts:GetCallerIdentity"} == allowed - only_cdk - after_a_failure - _AFTER_A_DEPLOY


_AFTER_A_DEPLOY = {
    "application-autoscaling:DescribeScalingPolicies",
    "application-autoscaling:DeregisterScalableTarget",
    "cloudwatch:DeleteAlarms",
}


def test_what_ends_scaling_is_granted(loaded_project: Project) -> None:
    """`test_scaling.py` looks at what it does."""
    policy = {
        "PolicyARN": "a",
        "PolicyName": "follow-load",
        "ServiceNamespace": "sagemaker",
        "CreationTime": 0,
        "ResourceId": "endpoint/mw-dev-penguins/variant/AllTraffic",
        "PolicyType": "StepScaling",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    }
    answers: dict[str, Any] = {
        "application-autoscaling:DescribeScalingPolicies": {"ScalingPolicies": [policy]},
        "application-autoscaling:DeregisterScalableTarget": {},
        "cloudwatch:DeleteAlarms": {},
    }
    account = FakeAccount(answers)
    assert len(list(end_unwanted(account.session(), "dev", loaded_project.pipelines.values()))) == 1  # type: ignore[arg-type]
    allowed = {action for item in deploy_policy(PLACE) for action in item["Action"]}
    assert {name for name, _ in account.calls} == _AFTER_A_DEPLOY <= allowed


@pytest.fixture
def loaded_project() -> Project:
    from modelwright.config import load_project  # noqa: PLC0415

    return load_project(Path(__file__).parents[3], "dev")
