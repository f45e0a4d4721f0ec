"""What the environment's VPC needs so that jobs and endpoints without the internet reach their data: S3, and S3 only.

SageMaker pulls images and writes logs outside of the VPC; its pages name S3's endpoint and no other, and the scripts
call no AWS service: docs/adr/0010-jobs-in-a-vpc.md.
https://docs.aws.amazon.com/sagemaker/latest/dg/train-vpc.html
https://docs.aws.amazon.com/sagemaker/latest/dg/process-vpc.html
https://docs.aws.amazon.com/sagemaker/latest/dg/host-vpc.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Aws
from aws_cdk import aws_ec2 as ec2

from stacks.policies import Statement, arn, document
from stacks.policy_checks import accept_found

if TYPE_CHECKING:
    from constructs import Construct

    from modelwright.config.environment import VpcSettings

_ANY_BUCKET = "data may lie in any bucket that a role may read; the endpoint's policy limits who comes, not where to"


def s3_endpoint(scope: Construct, vpc: VpcSettings, prefix: str) -> ec2.CfnVPCEndpoint:
    """Make S3's gateway endpoint, which costs nothing, for the environment's own roles.

    A route table takes one such endpoint: where there is one already, `endpoints: existing` is right.
    https://docs.aws.amazon.com/vpc/latest/privatelink/gateway-endpoints.html
    """
    policy = _only_our_roles(prefix)
    made = ec2.CfnVPCEndpoint(
        scope,
        "S3Endpoint",
        vpc_id=vpc.id or "",
        service_name=f"com.amazonaws.{Aws.REGION}.s3",
        vpc_endpoint_type="Gateway",
        route_table_ids=list(vpc.route_tables),
        policy_document=document((policy,)),
    )
    accept_found(
        made, "parliament", {f"RESOURCE_STAR[{policy.sid}/{action}]": _ANY_BUCKET for action in policy.actions}
    )
    return made


def _only_our_roles(prefix: str) -> Statement:
    """Whoever brings other credentials into a job cannot carry data away with them.

    A gateway endpoint's policy names callers by condition:
    https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html
    """
    roles = [arn("iam", f"role/{path}{prefix}-*", region="") for path in ("", "*/")]
    return Statement(
        "OurRolesOnly",
        ("s3:AbortMultipartUpload", "s3:GetObject", "s3:ListBucket", "s3:PutObject"),
        ("*",),
        {"ArnLike": {"aws:PrincipalArn": roles}},
        principal="*",
    )
