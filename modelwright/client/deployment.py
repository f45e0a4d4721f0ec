"""What is deployed of a pipeline, found by its stack's outputs: nothing else guesses a name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modelwright.errors import ModelwrightError

if TYPE_CHECKING:
    from .session import Session


class NotDeployedError(ModelwrightError):
    """The pipeline has no stack where it was looked for."""


@dataclass(frozen=True)
class Deployment:
    """The outputs of a pipeline's stack."""

    pipeline: str
    stack: str
    state_machine_arn: str
    endpoint_name: str
    model_package_group: str
    data_bucket: str
    artifact_bucket: str
    table: str
    event_bus: str
    topic_arn: str
    log_group: str
    structure: str
    key_arn: str


_OUTPUTS = {
    "state_machine_arn": "StateMachineArn",
    "endpoint_name": "EndpointName",
    "model_package_group": "ModelPackageGroupName",
    "data_bucket": "DataBucketName",
    "artifact_bucket": "ArtifactBucketName",
    "table": "TableName",
    "event_bus": "EventBusName",
    "topic_arn": "TopicArn",
    "log_group": "StateMachineLogGroup",
    "structure": "Structure",
    "key_arn": "KeyArn",
}


def stack_name(environment: str, pipeline: str) -> str:
    """The name of the pipeline's stack."""
    return f"mw-{environment}-{pipeline}"


def find_deployment(session: Session, environment: str, pipeline: str) -> Deployment:
    """What is deployed of the pipeline.

    Raises:
        NotDeployedError: there is no such stack, or it is not modelwright's.
    """
    from botocore.exceptions import ClientError  # noqa: PLC0415 - see session.py

    name = stack_name(environment, pipeline)
    try:
        stack = session.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as error:
        if "does not exist" not in error.response["Error"].get("Message", ""):
            raise
        raise NotDeployedError(
            f"{pipeline} is not deployed: there is no stack {name}.", hint=_hint(session, pipeline)
        ) from None
    return _read(pipeline, stack)


def _hint(session: Session, pipeline: str) -> str:
    return f"`modelwright run {pipeline}` makes it." if session.endpoint_url else "`cdk deploy --all` makes it."


def _read(pipeline: str, stack: dict[str, Any]) -> Deployment:
    outputs = {entry["OutputKey"]: entry["OutputValue"] for entry in stack.get("Outputs", [])}
    missing = sorted(set(_OUTPUTS.values()) - set(outputs))
    if missing:
        raise NotDeployedError(
            f"the stack {stack['StackName']} ({stack['StackStatus']}) has no output {', '.join(missing)}: deploy it again."
        )
    return Deployment(pipeline, stack["StackName"], **{key: outputs[name] for key, name in _OUTPUTS.items()})
