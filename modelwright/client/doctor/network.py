"""Whether the network of the settings is there, whole, and has a way to S3."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelwright.client.doctor.findings import Examination, Finding, failure, ok, warning
from modelwright.client.problems import code_of, message_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelwright.config.environment import VpcSettings

_ANYWHERE = "0.0.0.0/0"


def check_network(about: Examination) -> Iterator[Finding]:
    """Subnets and security groups of one VPC, and what jobs in it can reach."""
    from botocore.exceptions import ClientError  # noqa: PLC0415 # see session.py

    vpc = about.settings.vpc
    if vpc is None:
        return
    client = about.session.client("ec2")
    try:
        subnets = client.describe_subnets(SubnetIds=list(vpc.subnets))["Subnets"]
        groups = client.describe_security_groups(GroupIds=list(vpc.security_groups))["SecurityGroups"]
    except ClientError as error:
        if not code_of(error).endswith(".NotFound"):  # InvalidSubnetID.NotFound, InvalidGroup.NotFound
            raise
        hint = f"Correct `vpc` in environments/{about.settings.name}.yaml."
        yield failure("network", f"{message_of(error)} in {about.settings.region}.", hint)
        return
    vpcs = {item["VpcId"] for item in (*subnets, *groups)} | ({vpc.id} if vpc.id else set())
    if len(vpcs) > 1:
        hint = f"Correct `vpc` in environments/{about.settings.name}.yaml: all must be of one VPC."
        yield failure(
            "network", f"the subnets and security groups are of several VPCs: {', '.join(sorted(vpcs))}.", hint
        )
        return
    yield ok("network", f"{len(subnets)} subnets and {len(groups)} security groups of {', '.join(vpcs)}.")
    full = [item["SubnetId"] for item in subnets if item["AvailableIpAddressCount"] < _ADDRESSES]
    if full:
        text = f"{', '.join(full)} has fewer than {_ADDRESSES} free addresses: each instance takes one or more."
        yield warning("network", text, "Name larger subnets.")
    if vpc.endpoints == "existing":
        yield from _ways(about, vpc, vpcs.pop())


_ADDRESSES = 8


def _ways(about: Examination, vpc: VpcSettings, vpc_id: str) -> Iterator[Finding]:
    """Without a route to the internet, a job reaches S3 through an endpoint only.

    https://docs.aws.amazon.com/sagemaker/latest/dg/train-vpc.html
    """
    client, region = about.session.client("ec2"), about.settings.region
    by_vpc = [{"Name": "vpc-id", "Values": [vpc_id]}]
    endpoints = client.describe_vpc_endpoints(Filters=by_vpc)["VpcEndpoints"]
    there = {
        item["ServiceName"].rsplit(f".{region}.", 1)[-1] for item in endpoints if item["State"].lower() == "available"
    }
    if "s3" in there:
        yield ok("network", f"{vpc_id} has an endpoint for S3.")
        return
    tables = client.describe_route_tables(Filters=by_vpc)["RouteTables"]
    if _leaves(tables, vpc.subnets):
        yield ok("network", f"the subnets have a route to the internet; {vpc_id} has no endpoint for S3.")
        return
    yield failure(
        "network",
        f"{vpc_id} has no endpoint for S3, and not all subnets have a route to the internet: jobs could not read data.",
        f"Write `endpoints: create` in environments/{about.settings.name}.yaml, or make the endpoint.",
        blocks=False,
    )


def _leaves(tables: list[dict[str, object]], subnets: tuple[str, ...]) -> bool:
    """Whether every subnet's own route table, or else the VPC's main one, has a way to everywhere."""
    own: dict[str, bool] = {}
    main = False
    for table in tables:
        routes: list[dict[str, str]] = table["Routes"]  # type: ignore[assignment] # JSON of DescribeRouteTables
        out = any(route.get("DestinationCidrBlock") == _ANYWHERE and route.get("State") == "active" for route in routes)
        links: list[dict[str, object]] = table["Associations"]  # type: ignore[assignment] # as above
        for link in links:
            if link.get("Main"):
                main = out
            elif "SubnetId" in link:
                own[str(link["SubnetId"])] = out
    return all(own.get(subnet, main) for subnet in subnets)
