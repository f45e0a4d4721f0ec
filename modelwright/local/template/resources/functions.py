"""Lambda functions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelwright.local.calls.direct import Direct
from modelwright.local.service import AwsError
from modelwright.local.template.intrinsics import Physical
from modelwright.local.template.registry import Level, Resource, resource

if TYPE_CHECKING:
    from modelwright.local.cloud import Cloud


def _remove_function(cloud: Cloud, resource: Resource, physical: Physical) -> None:
    Direct(cloud, "lambda").delete_function(FunctionName=physical.id)


@resource(
    "AWS::Lambda::Function",
    Level.RUNS,
    "its handler runs in a warm process with the template's environment, timeout, memory and role; the interpreter is "
    "this machine's, whatever Runtime and Architectures say; tracing is only recorded",
    remove=_remove_function,
)
def put_function(cloud: Cloud, resource: Resource) -> Physical:
    """A function whose code is a directory asset."""
    resource.only(
        "Architectures",
        "Code",
        "DeadLetterConfig",
        "Description",
        "Environment",
        "FunctionName",
        "Handler",
        "KmsKeyArn",
        "LoggingConfig",
        "MemorySize",
        "ReservedConcurrentExecutions",
        "Role",
        "Runtime",
        "Tags",
        "Timeout",
        "TracingConfig",
        "EphemeralStorage",
    )
    name = resource.properties.get("FunctionName") or resource.name(64)
    service: Any = cloud.services["lambda"]
    directory = cloud.services["cloudformation"].assets.path(resource.required("Code"))  # type: ignore[attr-defined]  # our own service
    service.register(name, {key: value for key, value in resource.properties.items() if key != "Code"}, directory)
    return Physical(name, {"Arn": f"arn:aws:lambda:{cloud.region}:{cloud.account}:function:{name}"})


def _remove_permission(cloud: Cloud, resource: Resource, physical: Physical) -> None:
    try:
        Direct(cloud, "lambda").remove_permission(
            FunctionName=resource.required("FunctionName"), StatementId=physical.id
        )
    except AwsError as error:
        if error.code != "ResourceNotFoundException":  # it went with its function
            raise


@resource(
    "AWS::Lambda::Permission",
    Level.ENFORCED,
    "checked when a service invokes the function",
    remove=_remove_permission,
)
def put_permission(cloud: Cloud, resource: Resource) -> Physical:
    """A statement of the function's resource policy."""
    resource.only("Action", "FunctionName", "Principal", "SourceAccount", "SourceArn")
    properties = dict(resource.properties)
    statement = resource.name(100)
    _remove_permission(cloud, resource, Physical(statement))  # an update: the statement keeps its id
    Direct(cloud, "lambda").add_permission(StatementId=statement, **properties)
    return Physical(statement)
