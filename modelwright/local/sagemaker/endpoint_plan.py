"""What an endpoint serves, resolved once for a deployment: image checked, archive fetched with the model's own role.

A plan is JSON and complete in itself: it outlives the model, the configuration and this process.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelwright.local.sagemaker import images
from modelwright.local.sagemaker.job_permissions import check_trust, hosting_source, join_network
from modelwright.local.sagemaker.job_problems import ClientProblem
from modelwright.local.sagemaker.models import find_model_data, model_data_url
from modelwright.local.service import AwsError

if TYPE_CHECKING:
    from modelwright.local.cloud import Cloud
    from modelwright.local.sagemaker.models import Models

IMAGE_ACTIONS = ("BatchCheckLayerAvailability", "GetDownloadUrlForLayer", "BatchGetImage")
LOG_ACTIONS = ("CreateLogGroup", "CreateLogStream", "DescribeLogStreams", "PutLogEvents")
"""https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html (CreateModel API: Execution Role Permissions)"""
STARTUP_SECONDS = 480


class PlanError(Exception):
    """The endpoint cannot be deployed; the message is its FailureReason."""


def make_plan(cloud: Cloud, models: Models, config: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what to start for each variant; PlanError when something is missing or the role may not fetch it."""
    return [_variant(cloud, models, variant) for variant in config["ProductionVariants"]]


def _variant(cloud: Cloud, models: Models, variant: dict[str, Any]) -> dict[str, Any]:
    try:
        model = models.get(variant["ModelName"])
        container = models.container(variant["ModelName"])
        url = model_data_url(container)
    except AwsError as error:
        raise PlanError(error.message) from None
    role = model["ExecutionRoleArn"]
    _check_trust(cloud, role)
    _join_network(cloud, role, model.get("VpcConfig"))
    _check_image(cloud, role, container["Image"])
    return {
        "VariantName": variant["VariantName"],
        "ModelName": variant["ModelName"],
        "InstanceType": variant["InstanceType"],
        "InitialInstanceCount": variant["InitialInstanceCount"],
        "InitialVariantWeight": variant["InitialVariantWeight"],
        "StartupSeconds": variant.get("ContainerStartupHealthCheckTimeoutInSeconds", STARTUP_SECONDS),
        "Image": container["Image"],
        "Environment": container.get("Environment", {}),
        "RoleArn": role,
        "Isolated": model["EnableNetworkIsolation"],
        "Archive": _fetch(cloud, role, url),
    }


def _check_trust(cloud: Cloud, role: str) -> None:
    try:
        check_trust(cloud, role, hosting_source(cloud))
    except AwsError as error:
        raise PlanError(error.message) from None


def _join_network(cloud: Cloud, role: str, vpc_config: dict[str, list[str]] | None) -> None:
    """Endpoints ask for one action more: https://docs.aws.amazon.com/sagemaker/latest/dg/host-vpc.html."""
    if vpc_config:
        _authorize(cloud, role, "ec2:DescribeVpcEndpoints", "*", "for the model's VPC")
    try:
        join_network(cloud, role, vpc_config)
    except ClientProblem as error:
        raise PlanError(str(error)) from None


def _check_image(cloud: Cloud, role: str, image: str) -> None:
    """Check the pull of the image by the role: a hosting role without BatchGetImage fails.

    https://github.com/aws/sagemaker-python-sdk/issues/2002
    """
    registry, _, rest = image.partition("/")
    repository = rest.partition("@")[0].partition(":")[0]
    account, _, host = registry.partition(".dkr.ecr.")
    if not host or not repository:
        raise PlanError(
            f"The image {image} is not in ECR (<account>.dkr.ecr.<region>.amazonaws.com/<repository>:<tag>)."
        )
    region = host.partition(".")[0]
    _authorize(cloud, role, "ecr:GetAuthorizationToken", "*", f"for the image: '{image}'")
    for action in IMAGE_ACTIONS:
        arn = f"arn:aws:ecr:{region}:{account}:repository/{repository}"
        _authorize(cloud, role, f"ecr:{action}", arn, f"for the image: '{image}'")
    if not images.is_served(repository):
        raise PlanError(f"The local cloud cannot run the image {image}; it serves {', '.join(images.SERVED)}.")
    if not images.is_there(cloud, account, repository, rest.rpartition(":")[2]):
        raise PlanError(f"The image '{image}' does not exist.")


def _authorize(cloud: Cloud, role: str, action: str, resource: str, purpose: str) -> None:
    try:
        cloud.authorize(role, action, resource)
    except AwsError:
        name = action.partition(":")[2]
        raise PlanError(
            f"The role '{role}' does not have {name} permission {purpose} ({action} on {resource})."
        ) from None


def _fetch(cloud: Cloud, role: str, url: str | None) -> str | None:
    """Return the SHA-256 under which the archive's bytes are kept, read as the role (s3:GetObject, kms:Decrypt)."""
    if url is None:
        return None
    try:
        path = find_model_data(cloud, role, url)
    except AwsError as error:
        raise PlanError(error.message) from None
    return path.parent.name + path.name


def may_log(cloud: Cloud, role: str, group: str, stream: str) -> bool:
    """Say whether the role may write the endpoint's log: where it may not, the model serves without, there as here."""
    arn = f"arn:aws:logs:{cloud.region}:{cloud.account}:log-group:{group}:log-stream:{stream}"
    try:
        for action in LOG_ACTIONS:
            cloud.authorize(role, f"logs:{action}", arn)
    except AwsError:
        return False
    return True
