"""What SageMaker does with a job's role before the container starts, though no script asks for it.

https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from modelwright.local.sagemaker.jobs.problems import ClientProblem
from modelwright.local.sagemaker.registry.images import is_there
from modelwright.local.service import AwsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelwright.local.cloud import Cloud

PRINCIPAL = "sagemaker.amazonaws.com"
_IMAGE = re.compile(r"(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?/([^:@]+)[:@].+")


def check_trust(cloud: Cloud, role_arn: str, source_arn: str) -> None:
    """Raise AwsError ValidationException unless SageMaker may assume the role for this job, model or endpoint.

    https://docs.aws.amazon.com/sagemaker/latest/dg/security-confused-deputy-prevention.html
    """
    decision = cloud.iam.may_assume(role_arn, PRINCIPAL, {"aws:SourceArn": source_arn})
    if not decision:
        raise AwsError(
            "ValidationException",
            f"Could not assume role {role_arn}. Please ensure that the role exists and allows principal "
            f"'{PRINCIPAL}' to assume the role ({decision.reason}).",
        )


def hosting_source(cloud: Cloud) -> str:
    """Return what SageMaker says it takes a role of models and endpoints for: the asterisk is no wildcard of ours.

    https://docs.aws.amazon.com/sagemaker/latest/dg/security-confused-deputy-prevention.html#security-confused-deputy-inference
    """
    return f"arn:aws:sagemaker:{cloud.region}:{cloud.account}:*"


def check_image(image: str) -> None:
    """Raise AwsError ValidationException for an image that is not in ECR."""
    if not _IMAGE.fullmatch(image):
        raise AwsError(
            "ValidationException",
            f"The image {image!r} is not in ECR: <account>.dkr.ecr.<region>.amazonaws.com/<repository>:<tag>",
        )


def pull_image(cloud: Cloud, role_arn: str, image: str) -> None:
    """Do, as far as permissions go, what pulling the image does; ClientProblem when the role may not."""
    found = _IMAGE.fullmatch(image)
    if found is None:
        raise ClientProblem(f"The image {image} is not in ECR")
    repository = f"arn:aws:ecr:{found[2]}:{found[1]}:repository/{found[3]}"
    try:
        cloud.authorize(role_arn, "ecr:GetAuthorizationToken", "*")
        for action in ("BatchCheckLayerAvailability", "BatchGetImage", "GetDownloadUrlForLayer"):
            cloud.authorize(role_arn, f"ecr:{action}", repository)
    except AwsError as error:
        raise ClientProblem(f"Cannot pull the image {image}: {error.message}") from error
    if not is_there(cloud, found[1], found[3], image.rpartition(":")[2]):
        raise ClientProblem(f"Cannot find the requested image: {image}")


_INTERFACE_ACTIONS = (
    "CreateNetworkInterfacePermission",
    "DeleteNetworkInterface",
    "DeleteNetworkInterfacePermission",
)
_LOOKS = (
    "DescribeDhcpOptions",
    "DescribeNetworkInterfaces",
    "DescribeSecurityGroups",
    "DescribeSubnets",
    "DescribeVpcs",
)


def join_network(cloud: Cloud, role_arn: str, vpc_config: Mapping[str, list[str]] | None) -> None:
    """Do, as far as permissions go, what interfaces in a VPC need; ClientProblem when the role may not.

    https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html ("If you specify a private VPC …")
    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html (what each is asked on)
    """
    if not vpc_config:
        return
    ec2 = f"arn:aws:ec2:{cloud.region}:{cloud.account}"
    interface = f"{ec2}:network-interface/eni-00000000000000000"
    groups = [f"{ec2}:security-group/{group}" for group in vpc_config["SecurityGroupIds"]]
    try:
        for action in _LOOKS:
            cloud.authorize(role_arn, f"ec2:{action}", "*")
        for subnet in (f"{ec2}:subnet/{name}" for name in vpc_config["Subnets"]):
            for resource in (interface, subnet, *groups):
                cloud.authorize(role_arn, "ec2:CreateNetworkInterface", resource)
            for action in _INTERFACE_ACTIONS:
                cloud.authorize(role_arn, f"ec2:{action}", interface, {"ec2:Subnet": subnet})
    except AwsError as error:
        raise ClientProblem(f"Cannot make network interfaces in the VPC: {error.message}") from error


def lend_volume_key(cloud: Cloud, role_arn: str, key: str | None) -> None:
    """Do, as far as permissions go, what encrypting the volume does; ClientProblem when the role may not."""
    if key is None:
        return
    arn = key if key.startswith("arn:") else f"arn:aws:kms:{cloud.region}:{cloud.account}:key/{key}"
    try:
        cloud.authorize(role_arn, "kms:DescribeKey", arn)
        cloud.authorize(role_arn, "kms:CreateGrant", arn, {"kms:GrantIsForAWSResource": "true"})
    except AwsError as error:
        raise ClientProblem(f"Cannot encrypt the volume with {key}: {error.message}") from error
