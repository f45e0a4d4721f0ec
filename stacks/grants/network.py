"""What SageMaker does in the environment's VPC with the role of a job or a model: its network interfaces.

https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html ("If you specify a private VPC …"), whose policies
are on all resources; what each action can be limited to:
https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stacks.policies import NO_RESOURCE, Statement, arn

if TYPE_CHECKING:
    from modelwright.config.environment import VpcSettings

_LOOK = ("DescribeDhcpOptions", "DescribeNetworkInterfaces", "DescribeSecurityGroups", "DescribeSubnets")
_SHARED = "interfaces have ids that nobody knows before; the subnets of a shared VPC are in its owner's account"


def in_vpc(vpc: VpcSettings | None, *, hosting: bool = False) -> tuple[Statement, ...]:
    """Return what a role needs for jobs in `vpc`, or for endpoints (`hosting`); nothing without a VPC."""
    if vpc is None:
        return ()
    # https://docs.aws.amazon.com/sagemaker/latest/dg/host-vpc.html names one more for endpoints
    look = (*_LOOK, *(("DescribeVpcEndpoints",) if hosting else ()), "DescribeVpcs")
    subnets = tuple(arn("ec2", f"subnet/{subnet}", account="*") for subnet in vpc.subnets)
    groups = tuple(arn("ec2", f"security-group/{group}", account="*") for group in vpc.security_groups)
    interfaces = arn("ec2", "network-interface/*")
    return (
        Statement("FindTheNetwork", tuple(f"ec2:{name}" for name in look), ("*",), why=NO_RESOURCE),
        Statement(
            "MakeNetworkInterfaces", ("ec2:CreateNetworkInterface",), (interfaces, *subnets, *groups), why=_SHARED
        ),
        Statement(
            "UseNetworkInterfaces",
            ("ec2:CreateNetworkInterfacePermission", "ec2:DeleteNetworkInterface"),
            (interfaces,),
            {"ArnLike": {"ec2:Subnet": list(subnets)}},
            why=_SHARED,
        ),
        Statement(
            "GiveInterfacesBack",
            ("ec2:DeleteNetworkInterfacePermission",),
            ("*",),
            why="it names the permission; the interface, which could be limited, is optional",
        ),
    )
