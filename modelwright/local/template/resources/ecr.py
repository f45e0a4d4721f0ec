"""ECR repositories."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelwright.local.template.intrinsics import Physical
from modelwright.local.template.registry import Level, Resource, resource

if TYPE_CHECKING:
    from modelwright.local.cloud import Cloud


def _arn(cloud: Cloud, name: str) -> str:
    return f"arn:aws:ecr:{cloud.region}:{cloud.account}:repository/{name}"


def _remove_repository(cloud: Cloud, resource: Resource, physical: Physical) -> None:
    cloud.iam.put_resource_policy(_arn(cloud, physical.id), None)
    registry: Any = cloud.services["ecr"]
    registry.remove_repository(physical.id)


@resource(
    "AWS::ECR::Repository",
    Level.RECORDED,
    "its name, URI and policy are known to the template, and which tags a build has pushed; no image is stored, as "
    "nothing here runs containers",
    remove=_remove_repository,
)
def put_repository(cloud: Cloud, resource: Resource) -> Physical:
    """An image repository."""
    resource.only(
        "RepositoryName",
        "EncryptionConfiguration",
        "ImageScanningConfiguration",
        "ImageTagMutability",
        "LifecyclePolicy",
        "RepositoryPolicyText",
        "Tags",
        "EmptyOnDelete",
    )
    name = resource.properties.get("RepositoryName") or resource.name(256, lower=True)
    arn = _arn(cloud, name)
    registry: Any = cloud.services["ecr"]
    registry.put_repository(name, immutable=resource.properties.get("ImageTagMutability") == "IMMUTABLE")
    cloud.iam.put_resource_policy(arn, resource.properties.get("RepositoryPolicyText"))
    return Physical(name, {"Arn": arn, "RepositoryUri": f"{cloud.account}.dkr.ecr.{cloud.region}.amazonaws.com/{name}"})
