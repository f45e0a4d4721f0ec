"""SageMaker's own resources in a template."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelwright.local.calls.direct import Direct
from modelwright.local.template.intrinsics import Physical
from modelwright.local.template.registry import Level, Resource, resource

if TYPE_CHECKING:
    from modelwright.local.cloud import Cloud


def _remove_group(cloud: Cloud, resource: Resource, physical: Physical) -> None:
    name = resource.required("ModelPackageGroupName")
    Direct(cloud, "sagemaker").delete_model_package_group(ModelPackageGroupName=name)


@resource(
    "AWS::SageMaker::ModelPackageGroup",
    Level.RUNS,
    "packages are registered in it, versioned, approved and described",
    remove=_remove_group,
)
def put_group(cloud: Cloud, resource: Resource) -> Physical:
    """A model package group; what it holds is kept between starts."""
    resource.only("ModelPackageGroupName", "ModelPackageGroupDescription", "Tags")
    name, client = resource.required("ModelPackageGroupName"), Direct(cloud, "sagemaker")
    arn = f"arn:aws:sagemaker:{cloud.region}:{cloud.account}:model-package-group/{name}"
    known = client.list_model_package_groups(NameContains=name)["ModelPackageGroupSummaryList"]
    if name not in {group["ModelPackageGroupName"] for group in known}:
        description = resource.properties.get("ModelPackageGroupDescription") or name
        client.create_model_package_group(ModelPackageGroupName=name, ModelPackageGroupDescription=description)
    tags = resource.properties.get("Tags", [])
    gone = {tag["Key"] for tag in client.list_tags(ResourceArn=arn)["Tags"]} - {tag["Key"] for tag in tags}
    if gone:
        client.delete_tags(ResourceArn=arn, TagKeys=sorted(gone))
    if tags:
        client.add_tags(ResourceArn=arn, Tags=tags)
    return Physical(arn, {"ModelPackageGroupArn": arn})
