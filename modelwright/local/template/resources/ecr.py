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
    "exists and can be described; no image is stored, as nothing here runs containers",
)
def put_repository(cloud: Cloud, resource: Resource) -> Physical:
    """An image repository."""
    resource.only(
        "RepositoryName", "EncryptionConfiguration", "ImageScanningConfiguration", "ImageTagMutability", "LifecyclePolicy",
        "RepositoryPolicyText", "Tags", "EmptyOnDelete",
    )  # fmt: skip
    name = resource.properties.get("RepositoryName") or resource.name(256, lower=True)
    client = cloud.client("ecr")
    try:
        client.create_repository(repositoryName=name)
    except client.exceptions.RepositoryAlreadyExistsException:
        pass  # an update: nothing of it can be observed here
    policy = resource.properties.get("RepositoryPolicyText")
    cloud.iam.put_resource_policy(f"arn:aws:ecr:{cloud.region}:{cloud.account}:repository/{name}", policy)
    uri = f"{cloud.account}.dkr.ecr.{cloud.region}.amazonaws.com/{name}"
    return Physical(
        name, {"Arn": f"arn:aws:ecr:{cloud.region}:{cloud.account}:repository/{name}", "RepositoryUri": uri}
    )
