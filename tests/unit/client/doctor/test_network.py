"""`doctor --aws` and the environment's VPC: what is there, whole, and leads to S3."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from fake_account import FakeAccount, Refusal

from modelwright.config.environment import VpcSettings

from .conftest import of

if TYPE_CHECKING:
    from pathlib import Path

    from modelwright.client.doctor import Finding
    from modelwright.config import Project

Examine = Callable[..., "list[Finding]"]
VPC = VpcSettings(("subnet-1", "subnet-2"), ("sg-1",))
CREATE = VpcSettings(("subnet-1", "subnet-2"), ("sg-1",), "vpc-1", ("rtb-own", "rtb-main"), "create")


def subnet(name: str, vpc: str = "vpc-1", free: int = 200) -> dict[str, Any]:
    return {"SubnetId": name, "VpcId": vpc, "AvailableIpAddressCount": free}


def table(name: str, target: dict[str, str] | None = None, *links: dict[str, Any]) -> dict[str, Any]:
    routes = [{"DestinationCidrBlock": "0.0.0.0/0", "State": "active", **target}] if target else []
    return {"RouteTableId": name, "Routes": routes, "Associations": list(links)}


def endpoint(*tables: str, kind: str = "Gateway", dns: bool = False) -> dict[str, Any]:
    return {
        "VpcEndpointId": "vpce-1",
        "VpcEndpointType": kind,
        "ServiceName": "com.amazonaws.eu-central-1.s3",
        "State": "available",
        "RouteTableIds": list(tables),
        "PrivateDnsEnabled": dns,
    }


OWN, MAIN = {"SubnetId": "subnet-1"}, {"Main": True}
CLOSED = [table("rtb-own", None, OWN), table("rtb-main", None, MAIN)]


@pytest.fixture(autouse=True)
def network(account: FakeAccount) -> None:
    account.answers |= {
        "ec2:DescribeSubnets": {"Subnets": [subnet("subnet-1"), subnet("subnet-2")]},
        "ec2:DescribeSecurityGroups": {"SecurityGroups": [{"GroupId": "sg-1", "VpcId": "vpc-1"}]},
        "ec2:DescribeRouteTables": {"RouteTables": CLOSED},
        "ec2:DescribeVpcEndpoints": {"VpcEndpoints": [endpoint("rtb-own", "rtb-main")]},
    }


def found(examine: Examine, vpc: VpcSettings = VPC) -> list[tuple[str, str]]:
    return [(level, message) for level, message, _ in of(examine(vpc=vpc), "network")]


def test_without_a_vpc_nothing_is_looked_at(account: FakeAccount, examine: Examine) -> None:
    assert of(examine(), "network") == []
    assert account.asked("ec2:DescribeSubnets") == []


def test_a_network_that_is_whole(examine: Examine) -> None:
    assert found(examine) == [
        ("ok", "2 subnets and 1 security group of vpc-1."),
        ("ok", "every subnet has a way to S3."),
    ]


@pytest.mark.parametrize(
    ("operation", "code", "message"),
    [
        ("DescribeSubnets", "InvalidSubnetID.NotFound", "The subnet ID 'subnet-2' does not exist"),
        ("DescribeSecurityGroups", "InvalidGroup.NotFound", "The security group 'sg-1' does not exist"),
    ],
)
def test_what_is_not_there(account: FakeAccount, examine: Examine, operation: str, code: str, message: str) -> None:
    account.answers[f"ec2:{operation}"] = Refusal(code, message)
    assert of(examine(vpc=VPC), "network") == [
        ("failure", f"{message} (eu-central-1).", "Correct `vpc` in environments/dev.yaml.")
    ]


def test_subnets_of_another_vpc(account: FakeAccount, examine: Examine) -> None:
    account.answers["ec2:DescribeSubnets"] = {"Subnets": [subnet("subnet-1"), subnet("subnet-2", "vpc-2")]}
    assert found(examine) == [("failure", "subnets and security groups are of several VPCs: vpc-1, vpc-2.")]


def test_a_subnet_that_is_nearly_full(account: FakeAccount, examine: Examine) -> None:
    account.answers["ec2:DescribeSubnets"] = {"Subnets": [subnet("subnet-1", free=7), subnet("subnet-2", free=8)]}
    assert found(examine)[1] == (
        "warning",
        "subnet-1: fewer than 8 free addresses, and each instance takes one.",
    )


@pytest.mark.parametrize(
    ("endpoints", "tables", "lost"),
    [
        ([endpoint("rtb-own", "rtb-main")], CLOSED, ""),
        ([endpoint("rtb-own")], CLOSED, "subnet-2"),
        ([], CLOSED, "subnet-1, subnet-2"),
        ([endpoint(kind="Interface", dns=True)], CLOSED, ""),
        ([endpoint(kind="Interface")], CLOSED, "subnet-1, subnet-2"),
        ([], [table("rtb-main", {"NatGatewayId": "nat-1"}, MAIN)], ""),
        ([], [table("rtb-main", {"TransitGatewayId": "tgw-1"}, MAIN)], ""),
        ([], [table("rtb-main", {"GatewayId": "igw-1"}, MAIN)], "subnet-1, subnet-2"),
        ([], [table("rtb-main", {"NatGatewayId": "nat-1", "State": "blackhole"}, MAIN)], "subnet-1, subnet-2"),
    ],
)
def test_each_subnet_needs_a_way_to_s3(
    account: FakeAccount, examine: Examine, endpoints: list[Any], tables: list[Any], lost: str
) -> None:
    account.answers["ec2:DescribeVpcEndpoints"] = {"VpcEndpoints": endpoints}
    account.answers["ec2:DescribeRouteTables"] = {"RouteTables": tables}
    level, message = found(examine)[-1]
    assert level == ("failure" if lost else "ok")
    assert message.startswith(f"{lost}: no endpoint for S3" if lost else "every subnet has a way")


def test_an_endpoint_that_is_to_be_made_where_there_is_one(account: FakeAccount, examine: Examine) -> None:
    assert found(examine, CREATE)[-1] == (
        "failure",
        "vpce-1 is S3's endpoint of a named route table: a second would be refused.",
    )
    about = {"ResourceType": "AWS::EC2::VPCEndpoint", "PhysicalResourceId": "vpce-1", "LogicalResourceId": "S3Endpoint"}
    made = {**about, "ResourceStatus": "CREATE_COMPLETE", "Timestamp": "2026-11-20T00:00:00Z"}
    account.answers["cloudformation:DescribeStackResources"] = {"StackResources": [made]}
    assert found(examine, CREATE)[-1][0] == "ok", "it is ours"


def test_an_endpoint_that_would_not_reach_every_subnet(account: FakeAccount, examine: Examine) -> None:
    account.answers["ec2:DescribeVpcEndpoints"] = {"VpcEndpoints": []}
    assert found(examine, CREATE)[-1][0] == "ok"
    some = VpcSettings(("subnet-1", "subnet-2"), ("sg-1",), "vpc-1", ("rtb-own",), "create")
    assert found(examine, some)[-1] == (
        "failure",
        "the route table of subnet-2 is none of `vpc.route_tables`: jobs there could not read data.",
    )


@pytest.mark.parametrize(
    ("tables", "requirements", "closed"),
    [
        (CLOSED, True, "subnet-1, subnet-2"),
        ([table("rtb-own", {"NatGatewayId": "nat-1"}, OWN), table("rtb-main", None, MAIN)], True, "subnet-2"),
        ([table("rtb-main", {"NatGatewayId": "nat-1"}, MAIN)], True, ""),
        (CLOSED, False, ""),
    ],
)
def test_packages_need_a_way_to_where_they_are(
    account: FakeAccount,
    examine: Examine,
    loaded: Project,
    tmp_path: Path,
    tables: list[Any],
    *,
    requirements: bool,
    closed: str,
) -> None:
    account.answers["ec2:DescribeRouteTables"] = {"RouteTables": tables}
    if requirements:
        (tmp_path / "requirements.txt").write_text("polars\n")
    pipeline = replace(loaded.pipelines["penguins"], folder=tmp_path)
    messages = [text for level, text, _ in of(examine(pipeline, vpc=VPC), "network") if level == "warning"]
    told = f"penguins: packages of requirements.txt are installed in each job, and {closed} has no route to PyPI."
    assert messages == ([told] if closed else [])
