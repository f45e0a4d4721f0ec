"""An environment with a VPC: jobs and endpoints are in it, their roles may do there what they need, and reach S3."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk import App, Environment
from template_queries import Stack, as_list, read_stack

from modelwright.config.environment import EnvironmentSettings, LimitSettings, VpcSettings
from modelwright.config.structure import PipelineStructure
from stacks.account_rules import apply_account_rules
from stacks.data_stack import DataStack
from stacks.pipeline_stack import PipelineStack

if TYPE_CHECKING:
    from pathlib import Path

SUBNETS, GROUPS = ("subnet-01234567", "subnet-12345678"), ("sg-01234567",)
CREATE = VpcSettings(SUBNETS, GROUPS, "vpc-01234567", ("rtb-01234567",), "create")
EXISTING = VpcSettings(SUBNETS, GROUPS)
FULL = VpcSettings(
    tuple(f"subnet-{index:017x}" for index in range(16)), tuple(f"sg-{index:017x}" for index in range(5))
)
EC2 = "arn:<AWS::Partition>:ec2:<AWS::Region>"
NETWORK = {"SecurityGroupIds": list(GROUPS), "Subnets": list(SUBNETS)}
PATH = f"/{'a' * 62}/"
ROLE_CHARACTERS = 10_240  # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
LONGEST = {"<AWS::Partition>": "aws-us-gov", "<AWS::Region>": "us-gov-east-1", "<AWS::AccountId>": "0" * 12}


def synth(folder: Path, settings: EnvironmentSettings, structure: PipelineStructure) -> Path:
    app = App(analytics_reporting=False, outdir=str(folder), builtin_cloud_formation_validation=False)
    env = Environment(region=settings.region)
    DataStack(app, settings, env, filter(None, [structure.external_data]))
    PipelineStack(app, settings, structure, env)
    apply_account_rules(app, settings)
    app.synth()
    return folder


@pytest.fixture(scope="module")
def created(tmp_path_factory: pytest.TempPathFactory) -> Path:
    settings = EnvironmentSettings("net", "us-east-1", vpc=CREATE, limits=LimitSettings(instances=("ml.m5.*",)))
    structure = PipelineStructure("whales", "realtime", "main", None, "s3://their-bucket/raw/")
    return synth(tmp_path_factory.mktemp("created"), settings, structure)


@pytest.fixture(scope="module")
def stack(created: Path) -> Stack:
    return read_stack(created, "mw-net-whales")


def test_jobs_and_models_name_the_network(stack: Stack) -> None:
    states = stack.definition()["States"]
    for name in ("ProcessData", "EvaluateModel"):
        assert states[name]["Arguments"]["NetworkConfig"]["VpcConfig"] == NETWORK
    for name in ("TrainModel", "CreateModel"):
        assert states[name]["Arguments"]["VpcConfig"] == NETWORK


def test_without_a_vpc_nothing_does(assembly: Path) -> None:
    stack = read_stack(assembly, "mw-dev-penguins")
    assert "VpcConfig" not in json.dumps(stack.definition())
    assert not {action for role in stack.roles() for action in role.actions() if action.startswith("ec2:")}
    assert not read_stack(assembly, "mw-dev-data").all("AWS::EC2::VPCEndpoint")


@pytest.mark.parametrize("kind", ["Processing", "Training", "Hosting"])
def test_roles_make_interfaces_in_these_subnets_and_groups_only(stack: Stack, kind: str) -> None:
    role = stack.job_role(kind)
    assert role.allows("ec2:CreateNetworkInterface", f"{EC2}:210987654321:subnet/{SUBNETS[0]}"), "of a shared VPC, too"
    assert not role.allows("ec2:CreateNetworkInterface", f"{EC2}:<AWS::AccountId>:subnet/subnet-76543210")
    assert not role.allows("ec2:CreateNetworkInterface", f"{EC2}:<AWS::AccountId>:security-group/sg-76543210")
    condition = role.statement("ec2:DeleteNetworkInterface")["Condition"]
    assert condition == {"ArnLike": {"ec2:Subnet": [f"{EC2}:*:subnet/{subnet}" for subnet in SUBNETS]}}
    assert ("ec2:DescribeVpcEndpoints" in role.actions()) is (kind == "Hosting")


def with_action(stack: Stack, action: str) -> list[dict[str, Any]]:
    return [item for item in stack.machine_role().statements if action in as_list(item["Action"])]


def denied(stack: Stack, action: str) -> dict[str, dict[str, Any]]:
    """The conditions under which the state machine is refused an action on whatever, by statement."""
    found = [item for item in with_action(stack, action) if (item["Effect"], item["Resource"]) == ("Deny", "*")]
    return {item["Sid"]: item["Condition"] for item in found}


@pytest.mark.parametrize("action", ["CreateProcessingJob", "CreateTrainingJob", "CreateModel"])
def test_nothing_starts_outside_of_the_network(stack: Stack, action: str) -> None:
    conditions = denied(stack, f"sagemaker:{action}")
    assert conditions["OtherSubnets"] == {"ForAnyValue:StringNotEquals": {"sagemaker:VpcSubnets": list(SUBNETS)}}
    others = {"sagemaker:VpcSecurityGroupIds": list(GROUPS)}
    assert conditions["OtherSecurityGroups"] == {"ForAnyValue:StringNotEquals": others}
    assert conditions["NoNetwork"] == {"Null": {"sagemaker:VpcSubnets": "true"}}


@pytest.mark.parametrize("action", ["CreateProcessingJob", "CreateTrainingJob", "CreateEndpointConfig"])
def test_nothing_starts_on_other_instances_or_with_another_key(stack: Stack, action: str) -> None:
    other = {"ForAnyValue:StringNotLike": {"sagemaker:InstanceTypes": ["ml.m5.*"]}}
    assert denied(stack, f"sagemaker:{action}")["OtherInstances"] == other
    (allowed,) = (item for item in with_action(stack, f"sagemaker:{action}") if item["Effect"] == "Allow")
    assert allowed["Condition"]["ArnEqualsIfExists"] == {"sagemaker:VolumeKmsKey": "<SharedKeyArn>"}


def test_s3_is_reached_by_the_environments_roles_for_their_data_only(created: Path) -> None:
    data = read_stack(created, "mw-net-data")
    _, endpoint = data.one("AWS::EC2::VPCEndpoint")
    assert (endpoint["VpcEndpointType"], endpoint["VpcId"]) == ("Gateway", "vpc-01234567")
    assert endpoint["ServiceName"] == "com.amazonaws.<AWS::Region>.s3"
    assert endpoint["RouteTableIds"] == ["rtb-01234567"]
    statements = {item["Sid"]: item for item in endpoint["PolicyDocument"]["Statement"]}
    roles = [f"arn:<AWS::Partition>:iam::<AWS::AccountId>:role/{path}mw-net-*" for path in ("", "*/")]
    for item in statements.values():
        assert item["Condition"] == {"ArnLike": {"aws:PrincipalArn": roles}}
    assert set(statements["UseOwnObjects"]["Resource"]) == {"<DataBucket.Arn>/*", "<ArtifactBucket.Arn>/*"}
    assert statements["ReadExternalData"]["Resource"] == "arn:<AWS::Partition>:s3:::their-bucket/raw/*"
    assert "s3:PutObject" not in as_list(statements["ReadExternalData"]["Action"])


def test_where_endpoints_exist_none_is_made(tmp_path: Path) -> None:
    settings = EnvironmentSettings("net", "us-east-1", vpc=EXISTING)
    made = synth(tmp_path, settings, PipelineStructure("whales", "none", "main", None, None))
    assert not read_stack(made, "mw-net-data").all("AWS::EC2::VPCEndpoint")


@pytest.mark.parametrize(
    "more",
    [
        {"endpoint": "realtime", "capture": True, "shadow": True, "compiled": True},
        {"endpoint": "async", "compiled": True},
        {"endpoint": "async", "script_image": True},
        {"endpoint": "multi-model"},
    ],
    ids=lambda more: f"{more['endpoint']}{'-script' * ('script_image' in more)}",
)
def test_the_longest_policies_fit_into_a_role(tmp_path: Path, more: dict[str, Any]) -> None:
    """The longest names, a full VPC, as many instance types as an environment may list, all that can go together."""
    limits = LimitSettings(instances=tuple(f"ml.m{index}.24xlarge" for index in range(20)))
    settings = EnvironmentSettings("e" * 12, "us-east-1", vpc=FULL, limits=limits, role_path=PATH)
    structure = PipelineStructure(
        pipeline="p" * 20,
        merge_branch="main",
        schedule="rate(1 day)",
        external_data="s3://" + "b" * 63 + "/" + "k" * 200,
        autoscaling=True,
        ttl_hours=5,
        batch=True,
        **more,
    )
    made = read_stack(synth(tmp_path, settings, structure), f"mw-{'e' * 12}-{'p' * 20}")
    sizes = {role.name: characters(role.statements) for role in made.roles()}
    assert {name: size for name, size in sizes.items() if size > ROLE_CHARACTERS} == {}


def characters(statements: tuple[dict[str, Any], ...]) -> int:
    """As IAM counts them: without spaces, references at their longest."""
    text = json.dumps({"Version": "2012-10-17", "Statement": statements}, separators=(",", ":"))
    for name, value in LONGEST.items():
        text = text.replace(name, value)
    text = re.sub(r"<Shared\w+(Arn|Id)>", "k" * 90, text)
    role = f"arn:aws-us-gov:iam::{'0' * 12}:role{PATH}{'r' * 64}"
    text = re.sub(r"<\w+Role\.Arn>", role, text)
    text = re.sub(r"<\w+\.Arn>", f"arn:aws-us-gov:lambda:us-gov-east-1:{'0' * 12}:function:{'f' * 64}", text)
    return len(re.sub(r"<\w+>", "b" * 63, text))
