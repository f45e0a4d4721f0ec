"""IAM roles and policies, and the account's identity providers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelwright.local.template.intrinsics import Physical, TemplateError
from modelwright.local.template.registry import Level, Resource, resource

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelwright.local.cloud import Cloud


def _arn(cloud: Cloud, name: str, path: str = "/") -> str:
    return f"arn:aws:iam::{cloud.account}:role{path}{name}"


def _remove_role(cloud: Cloud, resource: Resource, physical: Physical) -> None:
    _delete_role(cloud, physical.attributes["Arn"])


def _delete_role(cloud: Cloud, arn: str) -> None:
    cloud.iam.delete_role(arn)
    cloud.database.delete("role", arn)


@resource(
    "AWS::IAM::Role",
    Level.ENFORCED,
    "who may assume it, and what it may do, is checked at each call; a permissions boundary is only recorded, as its "
    "text is no part of the template",
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
        "PermissionsBoundary",
    )
    if resource.properties.get("ManagedPolicyArns"):
        raise TemplateError(
            f"{resource.stack}: {resource.logical_id} names managed policies; the local cloud has no text of them."
        )
    name = resource.properties.get("RoleName") or resource.name(64)
    arn = _arn(cloud, name, resource.properties.get("Path", "/"))
    policies = {entry["PolicyName"]: entry["PolicyDocument"] for entry in resource.properties.get("Policies", [])}
    trust = resource.required("AssumeRolePolicyDocument")
    before = cloud.iam.role_named(name)
    if before is not None and before != arn:  # its path has changed
        _delete_role(cloud, before)
    cloud.iam.put_role(arn, trust, policies, tags=_tags(resource))
    boundary = resource.properties.get("PermissionsBoundary")
    cloud.database.put("role", arn, {"permissions_boundary": boundary} if boundary else {})
    for provider in _providers(trust):
        _identity(cloud).name_provider(provider)
    return Physical(name, {"Arn": arn, "RoleId": "AROA" + resource.digest()[:17].upper()})


def _tags(resource: Resource) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in resource.properties.get("Tags", [])}


def _providers(trust: Mapping[str, Any]) -> list[str]:
    """The identity providers that a trust policy names."""
    principals = [statement.get("Principal") for statement in _listed(trust["Statement"])]
    named = [found["Federated"] for found in principals if isinstance(found, dict) and "Federated" in found]
    return [arn for each in named for arn in _listed(each)]


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _identity(cloud: Cloud) -> Any:
    return cloud.services["sts"]


def _remove_provider(cloud: Cloud, resource: Resource, physical: Physical) -> None:
    _identity(cloud).delete_provider(physical.id)


@resource(
    "AWS::IAM::OIDCProvider",
    Level.ENFORCED,
    "AssumeRoleWithWebIdentity takes tokens for its audiences, made by `modelwright emit merge` as GitHub makes them",
    remove=_remove_provider,
)
def put_provider(cloud: Cloud, resource: Resource) -> Physical:
    """An identity provider: an account has one for a URL."""
    resource.only("Url", "ClientIdList", "Tags")  # no thumbprints: nothing is fetched from it
    url = str(resource.required("Url")).removeprefix("https://")
    arn = f"arn:aws:iam::{cloud.account}:oidc-provider/{url}"
    _identity(cloud).put_provider(arn, url, resource.properties.get("ClientIdList", []))
    return Physical(arn, {"Arn": arn})


def _remove_policy(cloud: Cloud, resource: Resource, physical: Physical) -> None:
    for role in resource.required("Roles"):
        arn = cloud.iam.role_named(str(role))
        if arn is not None:  # else it went with its role
            cloud.iam.put_role_policy(arn, resource.required("PolicyName"), None)


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
        cloud.iam.put_role_policy(_role_of(cloud, resource, str(role)), name, resource.required("PolicyDocument"))
    return Physical(resource.name(128))


def _role_of(cloud: Cloud, resource: Resource, name: str) -> str:
    """The ARN of a role that is given by its name."""
    found = cloud.iam.role_named(name)
    if found is None:
        where = f"{resource.stack}: {resource.logical_id} ({resource.type})"
        raise TemplateError(f"{where}: The role with name {name} cannot be found.")
    return found
