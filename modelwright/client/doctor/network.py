"""Whether the network of the settings is there, whole, and has a way to S3."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelwright.client.deployment import stack_names, stack_resources
from modelwright.client.doctor.findings import Examination, Finding, failure, ok, warning
from modelwright.client.doctor.routes import Routes, s3_endpoints, table_of
from modelwright.client.problems import code_of, message_of
from modelwright.client.releases.bundle import REQUIREMENTS

if TYPE_CHECKING:
    from collections.abc import Iterator

_ADDRESSES = 8
"""Free addresses under which a subnet may be too small for what runs side by side: each instance takes one."""


def check_network(about: Examination) -> Iterator[Finding]:
    """Subnets and security groups of one VPC, and what jobs in it can reach."""
    from botocore.exceptions import ClientError  # noqa: PLC0415 # see session.py

    vpc, client = about.settings.vpc, about.session.client("ec2")
    if vpc is None:
        return
    try:
        subnets = client.describe_subnets(SubnetIds=list(vpc.subnets))["Subnets"]
        groups = client.describe_security_groups(GroupIds=list(vpc.security_groups))["SecurityGroups"]
    except ClientError as error:
        if not code_of(error).endswith(".NotFound"):  # InvalidSubnetID.NotFound, InvalidGroup.NotFound
            raise
        yield failure("network", f"{message_of(error)} ({about.settings.region}).", _correct(about))
        return
    vpcs = {item["VpcId"] for item in (*subnets, *groups)} | ({vpc.id} if vpc.id else set())
    if len(vpcs) > 1:
        text = f"subnets and security groups are of several VPCs: {', '.join(sorted(vpcs))}."
        yield failure("network", text, f"{_correct(about)} All must be of one.")
        return
    (vpc_id,) = vpcs
    yield ok("network", f"{_count(subnets, 'subnet')} and {_count(groups, 'security group')} of {vpc_id}.")
    small = [item["SubnetId"] for item in subnets if item["AvailableIpAddressCount"] < _ADDRESSES]
    if small:
        text = f"{', '.join(small)}: fewer than {_ADDRESSES} free addresses, and each instance takes one."
        yield warning("network", text, "Name larger subnets.")
    yield from _ways(about, vpc_id)


def _ways(about: Examination, vpc_id: str) -> Iterator[Finding]:
    vpc, client = about.settings.vpc, about.session.client("ec2")
    if vpc is None:
        return
    found = Routes(
        client.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc_id]}])["RouteTables"],
        s3_endpoints(client.describe_vpc_endpoints(Filters=[{"Name": "vpc-id", "Values": [vpc_id]}])["VpcEndpoints"]),
    )
    if vpc.endpoints == "create":
        yield _room(about, found)
    else:
        yield _reach(about, found)
    yield from _packages(about, found)


def _room(about: Examination, routes: Routes) -> Finding:
    """A route table takes one gateway endpoint of S3, and the one that is made has to reach every subnet.

    https://docs.aws.amazon.com/vpc/latest/privatelink/gateway-endpoints.html
    """
    vpc = about.settings.vpc
    tables, subnets = (vpc.route_tables, vpc.subnets) if vpc else ((), ())
    own = stack_resources(about.session, stack_names(about.settings.name, "-")[0]).get("AWS::EC2::VPCEndpoint")
    taken = [
        each for each in routes.endpoints if each["VpcEndpointId"] != own and set(each["RouteTableIds"]) & set(tables)
    ]
    if taken:
        text = f"{taken[0]['VpcEndpointId']} is S3's endpoint of a named route table: a second would be refused."
        return failure("network", text, f"Write `endpoints: existing` in environments/{about.settings.name}.yaml.")
    outside = [subnet for subnet in subnets if table_of(routes.tables, subnet) not in tables]
    if outside:
        text = f"the route table of {', '.join(outside)} is none of `vpc.route_tables`: jobs there could not read data."
        return failure("network", text, _correct(about), blocks=False)
    return ok("network", "a deploy makes S3's endpoint for all of the subnets' route tables.")


def _reach(about: Examination, routes: Routes) -> Finding:
    """Jobs have no public address: a route to an internet gateway leads them nowhere, one to a NAT gateway does.

    https://docs.aws.amazon.com/sagemaker/latest/dg/train-vpc.html
    """
    subnets = about.settings.vpc.subnets if about.settings.vpc else ()
    lost = [subnet for subnet in subnets if not routes.reaches_s3(subnet)]
    if not lost:
        return ok("network", "every subnet has a way to S3.")
    return failure(
        "network",
        f"{', '.join(lost)}: no endpoint for S3 and no route out but an internet gateway's: jobs could not read data.",
        f"Write `endpoints: create` in environments/{about.settings.name}.yaml, or make S3's gateway endpoint.",
        blocks=False,
    )


def _packages(about: Examination, routes: Routes) -> Iterator[Finding]:
    """Each job and each endpoint installs the bundle's requirements.txt when it begins."""
    subnets = about.settings.vpc.subnets if about.settings.vpc else ()
    closed = [subnet for subnet in subnets if not routes.leads_out(subnet)]
    asking = [name for name, found in about.pipelines.items() if (found.folder / REQUIREMENTS).is_file()]
    if closed and asking:
        text = (
            f"{', '.join(asking)}: packages of {REQUIREMENTS} are installed in each job, and {', '.join(closed)} has no"
        )
        yield warning(
            "network",
            f"{text} route to PyPI.",
            "Lead the subnets out by a NAT gateway, name a mirror in the VPC, or use what the image has.",
        )


def _correct(about: Examination) -> str:
    return f"Correct `vpc` in environments/{about.settings.name}.yaml."


def _count(items: list[Any], noun: str) -> str:
    return f"{len(items)} {noun}" if len(items) == 1 else f"{len(items)} {noun}s"
