"""ECR repositories."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelwright.local.template.intrinsics import Physical
from modelwright.local.template.registry import Level, Resource, resource

if TYPE_CHECKING:
    from modelwright.local.cloud import Cloud


@resource(
    "AWS::ECR::Repository",
    Level.RECORDED,
    "its name, URI and policy are known to the template; no image is stored, as nothing here runs containers",
)
def put_repository(cloud: Cloud, resource: Resource) -> Physical:
    """An image repository."""
    resource.only(
        "RepositoryName", "EncryptionConfiguration", "ImageScanningConfiguration", "ImageTagMutability", "LifecyclePolicy",
        "RepositoryPolicyText", "Tags", "EmptyOnDelete",
    )  # fmt: skip
    name = resource.properties.get("RepositoryName") or resource.name(256, lower=True)
    arn = f"arn:aws:ecr:{cloud.region}:{cloud.account}:repository/{name}"
    cloud.iam.put_resource_policy(arn, resource.properties.get("RepositoryPolicyText"))
    return Physical(name, {"Arn": arn, "RepositoryUri": f"{cloud.account}.dkr.ecr.{cloud.region}.amazonaws.com/{name}"})
