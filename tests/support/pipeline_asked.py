"""Functions and services that are asked by hand for what is not there, or is to be made again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from pipeline_runs import NO_RELEASE
from pipeline_stage import Seen, Stage

from modelwright.local.calls.direct import Direct
from modelwright.local.service import AwsError
from modelwright.local.template.registry import handler_for

if TYPE_CHECKING:
    from collections.abc import Mapping

_MADE_ANEW = ("AWS::Lambda::Function", "AWS::Lambda::Permission", "AWS::Logs::LogGroup")


def deployed(stage: Stage) -> Seen:
    """What checks roles and keys when it is made is made again."""
    formation: Any = stage.cloud.services["cloudformation"]
    try:
        for resource in [found for stack in formation._stacks.values() for found, _ in stack.resources.values()]:
            if resource.type in _MADE_ANEW:
                handler_for(resource).put(stage.cloud, resource)
        machine = stage.deployment.state_machine_arn
        found = Direct(stage.cloud, "stepfunctions").describe_state_machine(stateMachineArn=machine)
        changes = {name: found[name] for name in ("definition", "roleArn", "loggingConfiguration")}
        Direct(stage.cloud, "stepfunctions").update_state_machine(stateMachineArn=machine, **changes)
    except AwsError as error:
        return Seen(outcome="REFUSED", error=error.code)
    return Seen(outcome="made")


def restored_anew(stage: Stage) -> Seen:
    """The endpoint went while a run deployed: the configuration before is made an endpoint again."""
    previous = stage.config()
    stage.absent()
    stage.put_lease("arn:of:it", 1)
    event = {
        "execution": "arn:of:it",
        "fence": 1,
        "previous_config": previous,
        "polls": 1,
        "package_arn": "",
        "failure": {},
        "tags": [{"Key": "team", "Value": "ml"}],
    }
    seen = Seen(outcome="")
    for _ in range(3):  # each takes its steps for ten seconds
        seen = _asked(stage, "RestoreEndpointFunction", event)
        if seen.outcome != "waiting":
            break
    stage.settled()
    return Seen("called", seen.error, serves="another" if stage.config() == previous else "none")


def abandoned(stage: Stage) -> Seen:
    """The lease is held by an execution that has ended."""
    arn = stage.start(NO_RELEASE)
    stage.ended(arn)
    stage.put_lease(arn, 1)
    event = {"execution": "arn:of:it", "run": "0" * 12, "started_at": "2026-01-01T00:00:00.000Z"}
    return _asked(stage, "AcquireDeploymentFunction", event)


def no_model(stage: Stage) -> Seen:
    """The trained model is not there."""
    uri = f"s3://{stage.deployment.artifact_bucket}/runs/penguins/none/model.tar.gz"
    return _asked(stage, "PackageModelFunction", {"model_uri": uri, "code_uri": uri})


def no_report(stage: Stage) -> Seen:
    """The conversion left no report, and the model has to be compiled."""
    prefix = f"s3://{stage.deployment.artifact_bucket}/runs/penguins/none/"
    problem = {"state": "", "error": "", "cause": ""}
    event = {
        "run": "none",
        "prefix": prefix,
        "sha256": "0" * 64,
        "files_sha256": "0" * 64,
        "serve": "onnx",
        "problem": problem,
    }
    return _asked(stage, "ChooseModelFunction", event)


def no_smoke_test(stage: Stage) -> Seen:
    """The release is not there any more when the model is to be asked."""
    return _asked(stage, "SmokeTestFunction", {"release": NO_RELEASE})


def _asked(stage: Stage, logical_id: str, event: Mapping[str, Any]) -> Seen:
    """A function, called by hand."""
    name = stage.physical(logical_id)
    answer = stage.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event).encode())
    found = json.loads(answer["Payload"].read())
    if "FunctionError" not in answer:
        return Seen(outcome=str(found.get("status", "answered")))
    refused = "AccessDenied" in found["errorMessage"] or "not authorized" in found["errorMessage"]
    return Seen(outcome="FAILED", error="AccessDenied" if refused else found["errorType"])


def no_model_data(stage: Stage) -> Seen:
    """A model is made of an archive that is not there."""
    container = {
        "Image": stage.hosting_image(),
        "ModelDataUrl": f"s3://{stage.deployment.artifact_bucket}/models/penguins/none",
    }
    request = {"ModelName": "none", "ExecutionRoleArn": stage.arn("HostingRole"), "PrimaryContainer": container}
    try:
        stage.client("sagemaker").create_model(**request)
    except ClientError as error:
        return Seen(outcome="FAILED", error="missing" if "Could not find" in str(error) else "no access")
    return Seen(outcome="made")
