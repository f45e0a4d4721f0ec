"""What a template makes in a VPC."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelwright.local.template.intrinsics import Physical, TemplateError
from modelwright.local.template.registry import Level, Resource, resource

if TYPE_CHECKING:
    from modelwright.local.cloud import Cloud


def _remove_endpoint(cloud: Cloud, resource: Resource, physical: Physical) -> None:
    cloud.database.delete("vpc_endpoint", physical.id)


@resource(
    "AWS::EC2::VPCEndpoint",
    Level.RECORDED,
    "there is no network here: a job is a process, which reads and writes its own folder and calls nothing",
    remove=_remove_endpoint,
)
def put_endpoint(cloud: Cloud, resource: Resource) -> Physical:
    """A gateway endpoint."""
    resource.only("PolicyDocument", "RouteTableIds", "ServiceName", "Tags", "VpcEndpointType", "VpcId")
    kind = resource.required("VpcEndpointType")
    if kind != "Gateway":
        raise TemplateError(
            f"{resource.stack}: {resource.logical_id} is an endpoint of the type {kind}; the local cloud records "
            "Gateway only."
        )
    if not resource.required("RouteTableIds"):
        raise TemplateError(f"{resource.stack}: {resource.logical_id} has no route table: nothing would use it.")
    name = f"vpce-{resource.digest()[:17]}"
    cloud.database.put("vpc_endpoint", name, dict(resource.properties))
    return Physical(name, {"Id": name})
