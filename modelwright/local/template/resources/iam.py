"""IAM roles and policies."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from modelwright.local.template.intrinsics import Physical, TemplateError
from modelwright.local.template.registry import Level, Resource, resource

if TYPE_CHECKING:
    from modelwright.local.cloud import Cloud


def _arn(cloud: Cloud, name: str, path: str = "/") -> str:
    return f"arn:aws:iam::{cloud.account}:role{path}{name}"


def _remove_role(cloud: Cloud, resource: Resource, physical: Physical) -> None:
    cloud.iam.delete_role(physical.attributes["Arn"])


@resource(
    "AWS::IAM::Role",
    Level.ENFORCED,
    "who may assume it, and what it may do, is checked at each call",
    remove=_remove_role,
)
def put_role(cloud: Cloud, resource: Resource) -> Physical:
    """A role with its inline policies."""
    resource.only(
        "AssumeRolePolicyDocument",
        "Policies",
        "Description",
        "Path",
        "RoleName",
        "Tags",
        "MaxSessionDuration",
        "ManagedPolicyArns",
    )
    if resource.properties.get("ManagedPolicyArns"):
        raise TemplateError(
            f"{resource.stack}: {resource.logical_id} names managed policies; the local cloud has no text of them."
        )
    name = resource.properties.get("RoleName") or resource.name(64)
    arn = _arn(cloud, name, resource.properties.get("Path", "/"))
    policies = {entry["PolicyName"]: entry["PolicyDocument"] for entry in resource.properties.get("Policies", [])}
    cloud.iam.put_role(arn, resource.required("AssumeRolePolicyDocument"), policies)
    return Physical(name, {"Arn": arn, "RoleId": "AROA" + resource.digest()[:17].upper()})


def _remove_policy(cloud: Cloud, resource: Resource, physical: Physical) -> None:
    for role in resource.required("Roles"):
        with suppress(KeyError):  # it went with its role
            cloud.iam.put_role_policy(_arn(cloud, str(role)), resource.required("PolicyName"), None)


@resource(
    "AWS::IAM::Policy",
    Level.ENFORCED,
    "checked at each call of the roles that it is attached to",
    remove=_remove_policy,
)
def put_policy(cloud: Cloud, resource: Resource) -> Physical:
    """An inline policy attached to roles."""
    resource.only("PolicyName", "PolicyDocument", "Roles")
    name = resource.required("PolicyName")
    for role in resource.required("Roles"):
        _attach(cloud, str(role), name, resource.required("PolicyDocument"))
    return Physical(resource.name(128))


def _attach(cloud: Cloud, role: str, name: str, document: dict[str, Any]) -> None:
    cloud.iam.put_role_policy(_arn(cloud, role), name, document)
