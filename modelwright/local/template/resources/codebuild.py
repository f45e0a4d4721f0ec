"""CodeBuild's projects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelwright.local.codebuild.service import Project
from modelwright.local.template.intrinsics import Physical, TemplateError
from modelwright.local.template.registry import Level, Resource, resource

if TYPE_CHECKING:
    from modelwright.local.cloud import Cloud


def _remove_project(cloud: Cloud, resource: Resource, physical: Physical) -> None:
    service: Any = cloud.services["codebuild"]
    service.remove_project(physical.id)


@resource(
    "AWS::CodeBuild::Project",
    Level.ENFORCED,
    "a build takes the role, reads buildspec, context and Dockerfile, asks for every permission, writes its log, names "
    "the images in ECR; no container is built, as what it would hold is this project's own Python",
    remove=_remove_project,
)
def put_project(cloud: Cloud, resource: Resource) -> Physical:
    """A project without a source of its own, whose builds push images."""
    resource.only(
        "Artifacts",
        "Description",
        "Environment",
        "LogsConfig",
        "Name",
        "QueuedTimeoutInMinutes",
        "ServiceRole",
        "Source",
        "Tags",
        "TimeoutInMinutes",
        "Visibility",
    )
    source = resource.required("Source")
    if source.get("Type") != "NO_SOURCE" or not source.get("BuildSpec"):
        raise TemplateError(
            f"{resource.stack}: {resource.logical_id} has the source {source.get('Type')}; the local cloud knows "
            "NO_SOURCE with a BuildSpec."
        )
    group = resource.properties.get("LogsConfig", {}).get("CloudWatchLogs", {}).get("GroupName")
    if not group:
        raise TemplateError(f"{resource.stack}: {resource.logical_id} must name the log group of its builds.")
    name = resource.properties.get("Name") or resource.name(150)
    given = resource.required("Environment").get("EnvironmentVariables", [])
    variables = {each["Name"]: str(each["Value"]) for each in given}
    service: Any = cloud.services["codebuild"]
    service.put_project(Project(name, _role_arn(cloud, resource), group, source["BuildSpec"], variables))
    return Physical(name, {"Arn": f"arn:aws:codebuild:{cloud.region}:{cloud.account}:project/{name}"})


def _role_arn(cloud: Cloud, resource: Resource) -> str:
    role = str(resource.required("ServiceRole"))
    return role if role.startswith("arn:") else f"arn:aws:iam::{cloud.account}:role/{role}"
