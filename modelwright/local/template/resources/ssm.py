"""SSM parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelwright.local.calls.direct import Direct
from modelwright.local.template.intrinsics import Physical
from modelwright.local.template.registry import Level, Resource, resource

if TYPE_CHECKING:
    from modelwright.local.cloud import Cloud


def _remove_parameter(cloud: Cloud, resource: Resource, physical: Physical) -> None:
    Direct(cloud, "ssm").delete_parameter(Name=physical.id)


@resource(
    "AWS::SSM::Parameter", Level.RUNS, "can be read, and feeds the parameters of other stacks", remove=_remove_parameter
)
def put_parameter(cloud: Cloud, resource: Resource) -> Physical:
    """A string parameter."""
    resource.only("Name", "Type", "Value", "Description", "Tags", "Tier", "AllowedPattern")
    name, value = resource.required("Name"), resource.required("Value")
    Direct(cloud, "ssm").put_parameter(Name=name, Type=resource.required("Type"), Value=value, Overwrite=True)
    return Physical(name, {"Type": resource.properties["Type"], "Value": value})
