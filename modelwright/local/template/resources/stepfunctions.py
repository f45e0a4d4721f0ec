"""State machines."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from modelwright.local.calls.direct import Direct
from modelwright.local.service import AwsError
from modelwright.local.template.intrinsics import Physical, TemplateError
from modelwright.local.template.registry import Level, Resource, resource

if TYPE_CHECKING:
    from modelwright.local.cloud import Cloud


def _remove_machine(cloud: Cloud, resource: Resource, physical: Physical) -> None:
    Direct(cloud, "stepfunctions").delete_state_machine(stateMachineArn=physical.id)


@resource(
    "AWS::StepFunctions::StateMachine",
    Level.RUNS,
    "executes, with history, logs and metrics; tracing is only recorded",
    remove=_remove_machine,
)
def put_machine(cloud: Cloud, resource: Resource) -> Physical:
    """A standard state machine."""
    resource.only(
        "StateMachineName",
        "StateMachineType",
        "DefinitionString",
        "DefinitionSubstitutions",
        "RoleArn",
        "LoggingConfiguration",
        "TracingConfiguration",
        "EncryptionConfiguration",
        "Tags",
    )
    if resource.properties.get("StateMachineType", "STANDARD") != "STANDARD":
        raise TemplateError(
            f"{resource.stack}: {resource.logical_id} is an express state machine; the local cloud runs standard ones."
        )
    name = resource.properties.get("StateMachineName") or resource.name(80)
    arn = f"arn:aws:states:{cloud.region}:{cloud.account}:stateMachine:{name}"
    request = {"definition": _definition(resource), "roleArn": resource.required("RoleArn"), **_logging(resource)}
    client = Direct(cloud, "stepfunctions")
    try:
        client.create_state_machine(name=name, **request)
    except AwsError as error:
        if error.code != "StateMachineAlreadyExists":
            raise
        client.update_state_machine(stateMachineArn=arn, **request)
    return Physical(arn, {"Arn": arn, "Name": name})


def _definition(resource: Resource) -> str:
    text = str(resource.required("DefinitionString"))
    for name, value in resource.properties.get("DefinitionSubstitutions", {}).items():
        text = text.replace("${" + name + "}", json.dumps(str(value))[1:-1])
    return text


def _logging(resource: Resource) -> dict[str, object]:
    logging = resource.properties.get("LoggingConfiguration")
    if not logging:
        return {}
    places = [
        {"cloudWatchLogsLogGroup": {"logGroupArn": place["CloudWatchLogsLogGroup"]["LogGroupArn"]}}
        for place in logging.get("Destinations", [])
    ]
    level = logging.get("Level", "OFF")
    return {
        "loggingConfiguration": {
            "level": level,
            "includeExecutionData": logging.get("IncludeExecutionData", False),
            "destinations": places,
        }
    }
