"""What an endpoint serves, resolved once for a deployment: image checked, archive fetched with the model's own role.

A plan is JSON and complete in itself: it outlives the model, the configuration and this process.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from modelwright.local.sagemaker.hosting.code import code_url
from modelwright.local.sagemaker.jobs.permissions import check_trust, hosting_source, join_network
from modelwright.local.sagemaker.jobs.problems import ClientProblem
from modelwright.local.sagemaker.registry.images import is_there
from modelwright.local.sagemaker.registry.models import find_model_data, model_data_url, split_s3_url
from modelwright.local.service import AwsError

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from modelwright.local.cloud import Cloud
    from modelwright.local.sagemaker.registry.models import Models

SEVERAL_MODELS_IMAGES = ("sagemaker-scikit-learn",)
"""AWS's images that run a script with model_fn, as modelwright.serving does. They take several models, too:
https://docs.aws.amazon.com/sagemaker/latest/dg/multi-model-support.html"""
OWN_IMAGE = re.compile(r"mw-[a-z][a-z0-9-]*-serving")
"""the repository of our own server's image (images/)"""
IMAGE_ACTIONS = ("BatchCheckLayerAvailability", "GetDownloadUrlForLayer", "BatchGetImage")
LOG_ACTIONS = ("CreateLogGroup", "CreateLogStream", "DescribeLogStreams", "PutLogEvents")
"""https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html (CreateModel API: Execution Role Permissions)"""
STARTUP_SECONDS = 480


class PlanError(Exception):
    """The endpoint cannot be deployed; the message is its FailureReason."""


def make_plan(cloud: Cloud, models: Models, config: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what to start for each variant; PlanError when something is missing or the role may not fetch it."""
    shadows = [_variant(cloud, models, variant) for variant in config.get("ShadowProductionVariants", ())]
    plan = [_variant(cloud, models, variant) for variant in config["ProductionVariants"]]
    plan += [{**shadow, "Shadow": True} for shadow in shadows]
    capture = config.get("DataCaptureConfig")
    return [{**each, "Capture": capture, "Async": config.get("AsyncInferenceConfig")} for each in plan]


def retained(
    plan: list[dict[str, Any]], before: list[dict[str, Any]], exclude: Collection[str]
) -> list[dict[str, Any]]:
    """Return the plan with counts and weights of the variants that serve, but for the kinds of `exclude`.

    Data capture is taken from the configuration: to exclude it is "not currently supported", says
    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_VariantProperty.html
    """
    members = {"DesiredInstanceCount": "InitialInstanceCount", "DesiredWeight": "InitialVariantWeight"}
    kept = [member for kind, member in members.items() if kind not in exclude]
    found = {variant["VariantName"]: variant for variant in before}
    return [{**each, **{member: found.get(each["VariantName"], each)[member] for member in kept}} for each in plan]


def _variant(cloud: Cloud, models: Models, variant: dict[str, Any]) -> dict[str, Any]:
    try:
        model = models.get(variant["ModelName"])
        container = models.container(variant["ModelName"])
        several = container.get("Mode") == "MultiModel"
        url = None if several else model_data_url(container)
    except AwsError as error:
        raise PlanError(error.message) from None
    role, isolated = model["ExecutionRoleArn"], model["EnableNetworkIsolation"]
    _check_trust(cloud, role)
    _join_network(cloud, role, model.get("VpcConfig"))
    _check_image(cloud, role, container["Image"])
    return {
        "VariantName": variant["VariantName"],
        "ModelName": variant["ModelName"],
        "InstanceType": variant.get("InstanceType", ""),
        "InitialInstanceCount": variant.get("InitialInstanceCount", 0),
        "InitialVariantWeight": variant["InitialVariantWeight"],
        "StartupSeconds": variant.get("ContainerStartupHealthCheckTimeoutInSeconds", STARTUP_SECONDS),
        "Routing": variant.get("RoutingConfig", {}).get("RoutingStrategy"),
        "Serverless": variant.get("ServerlessConfig"),
        "MultiModel": _several(cloud, role, container, isolated=isolated) if several else None,
        "Image": container["Image"],
        "Environment": told(container),
        "RoleArn": role,
        "Isolated": isolated,
        "Archive": _fetch(cloud, role, url),
    }


def told(container: dict[str, Any]) -> dict[str, str]:
    """Return a container's Environment; to AWS's image belongs what of our server is unlike it and can be left out."""
    given: dict[str, str] = container.get("Environment", {})
    if _repository(container["Image"]) not in SEVERAL_MODELS_IMAGES:
        return given
    return {**given, "MODELWRIGHT_SERVE": "framework"}


def _several(cloud: Cloud, role: str, container: dict[str, Any], *, isolated: bool) -> dict[str, Any]:
    """Return what a container with several models is started with: where they lie, and its script."""
    if _repository(container["Image"]) not in SEVERAL_MODELS_IMAGES:
        raise PlanError(
            f"The image {container['Image']} does not take several models; {', '.join(SEVERAL_MODELS_IMAGES)} does."
        )
    try:
        url = code_url(container.get("Environment", {}), isolated=isolated)
    except ValueError as error:
        raise PlanError(str(error)) from None
    cache = container.get("MultiModelConfig", {}).get("ModelCacheSetting", "Enabled")
    return {"Prefix": container["ModelDataUrl"], "Cache": cache, "Code": _fetch(cloud, role, url)}


def find_target(cloud: Cloud, variant: dict[str, Any], target: str) -> Path:
    """Return the archive of one of several models, fetched with the model's role; AwsError in AWS's words."""
    url = f"{variant['MultiModel']['Prefix'].rstrip('/')}/{target.lstrip('/')}"
    try:
        return find_model_data(cloud, variant["RoleArn"], url)
    except AwsError as error:
        bucket, key = split_s3_url(url)
        message = (
            f"Failed to download model data(bucket: {bucket}, key: {key}). Please ensure that there is an object "
            "located at the URL and that the role passed to CreateModel has permissions to download the model. "
            f"({error.message})"
        )
        raise AwsError("ValidationError", message) from None


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
    registry, repository = image.partition("/")[0], _repository(image)
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
    if repository not in SEVERAL_MODELS_IMAGES and not OWN_IMAGE.fullmatch(repository):
        raise PlanError(
            f"The local cloud cannot run the image {image}; it serves {', '.join(SEVERAL_MODELS_IMAGES)} and "
            "mw-<environment>-serving."
        )
    if not is_there(cloud, account, repository, image.rpartition(":")[2]):
        raise PlanError(f"The image '{image}' does not exist.")


def _repository(image: str) -> str:
    return image.partition("/")[2].partition("@")[0].partition(":")[0]


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
