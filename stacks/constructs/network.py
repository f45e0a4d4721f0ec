"""What the environment's VPC needs so that jobs and endpoints without the internet reach their data: S3, and S3 only.

SageMaker pulls images and writes logs outside of the VPC; its pages name S3's endpoint and no other, and the scripts
call no AWS service: docs/adr/0010-jobs-in-a-vpc.md.
https://docs.aws.amazon.com/sagemaker/latest/dg/train-vpc.html
https://docs.aws.amazon.com/sagemaker/latest/dg/process-vpc.html
https://docs.aws.amazon.com/sagemaker/latest/dg/host-vpc.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aws_cdk import Aws
from aws_cdk import aws_ec2 as ec2

from stacks.policies import Statement, arn, bucket_arn, document, objects

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs import Construct

    from modelwright.config.environment import VpcSettings


@dataclass(frozen=True)
class Reach:
    """What may be reached through the endpoint, and by whom."""

    prefix: str
    """What the names of the environment's roles begin with."""
    buckets: tuple[str, ...]
    """The ARNs of the environment's own buckets with data and artifacts."""
    external_data: tuple[str, ...]
    """Addresses in S3 that pipelines read from outside of them."""


def s3_endpoint(scope: Construct, vpc: VpcSettings, reach: Reach) -> ec2.CfnVPCEndpoint:
    """Make S3's gateway endpoint, which costs nothing, for the environment's own roles and data.

    A route table takes one such endpoint: where there is one already, `endpoints: existing` is right.
    https://docs.aws.amazon.com/vpc/latest/privatelink/gateway-endpoints.html
    """
    return ec2.CfnVPCEndpoint(
        scope,
        "S3Endpoint",
        vpc_id=vpc.id or "",
        service_name=f"com.amazonaws.{Aws.REGION}.s3",
        vpc_endpoint_type="Gateway",
        route_table_ids=list(vpc.route_tables),
        policy_document=document(_statements(reach)),
    )


def _statements(reach: Reach) -> Iterator[Statement]:
    """Whoever brings other credentials into a job cannot carry data away with them.

    A gateway endpoint's policy names callers by condition:
    https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html
    """
    roles = [arn("iam", f"role/{path}{reach.prefix}-*", region="") for path in ("", "*/")]
    ours: dict[str, dict[str, Any]] = {"ArnLike": {"aws:PrincipalArn": roles}}
    own = tuple(f"{bucket}/*" for bucket in reach.buckets)
    writing = ("s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject")
    yield Statement("ListOwnBuckets", ("s3:ListBucket",), reach.buckets, ours, principal="*")
    yield Statement("UseOwnObjects", writing, own, ours, principal="*")
    places = sorted({address.removeprefix("s3://").partition("/")[::2] for address in reach.external_data})
    if places:
        buckets = tuple(sorted({bucket_arn(bucket) for bucket, _ in places}))
        found = tuple(each for bucket, prefix in places for each in objects(bucket, prefix))
        yield Statement("ListExternalData", ("s3:ListBucket",), buckets, ours, principal="*")
        yield Statement("ReadExternalData", ("s3:GetObject",), found, ours, principal="*")
