"""What is deployed of a pipeline, found by its stack's outputs: nothing else guesses a name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modelwright.errors import NotDeployed

if TYPE_CHECKING:
    from modelwright.client.session import Session


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
    key_arn: str | None = None
    """None: AWS's own keys encrypt everything."""
    github_role: str | None = None
    """The ARN of the role that GitHub's workflow takes; None unless merges come from there."""
    api_url: str | None = None
    """The address of its REST API up to the stage, on AWS; None without one."""
    api_key_id: str | None = None
    """The key that the API asks for; None where it asks for signatures."""
    batch_role: str | None = None
    """The ARN of the role of batch transform; None unless `batch` is in the pipeline's settings."""
    ttl_hours: str | None = None
    """So many hours after the last deployment the endpoint is deleted; None: it stays."""
    answers_topic: str | None = None
    """The ARN of the topic that tells of an asynchronous endpoint's answers; None of another kind."""


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
}
_OPTIONAL = {
    "key_arn": "KeyArn",
    "github_role": "GitHubRoleArn",
    "batch_role": "BatchRoleArn",
    "api_url": "ApiUrl",
    "api_key_id": "ApiKeyId",
    "ttl_hours": "EndpointTtlHours",
    "answers_topic": "AnswersTopicArn",
}
"""Outputs that not every pipeline has."""


def stack_name(environment: str, pipeline: str) -> str:
    """The name of the pipeline's stack."""
    return f"mw-{environment}-{pipeline}"


def stack_names(environment: str, pipeline: str) -> tuple[str, str, str]:
    """The stacks that a pipeline needs, the last its own: what all share, what it must not lose, itself."""
    own = stack_name(environment, pipeline)
    return f"mw-{environment}-data", f"{own}-data", own


def find_deployment(session: Session, environment: str, pipeline: str) -> Deployment:
    """What is deployed of the pipeline.

    Raises:
        NotDeployed: there is no such stack, or it is not modelwright's.
    """
    name = stack_name(environment, pipeline)
    stack = describe_stack(session, name)
    if stack is None:
        raise NotDeployed(f"{pipeline} is not deployed: there is no stack {name}.", _next_step(session, pipeline))
    return _read(session, pipeline, stack)


def describe_stack(session: Session, name: str) -> dict[str, Any] | None:
    """The stack as CloudFormation describes it; None when there is none."""
    from botocore.exceptions import ClientError  # noqa: PLC0415 # see session.py

    from modelwright.client.problems import is_missing  # noqa: PLC0415 # as above

    try:
        found: dict[str, Any] = session.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as error:
        if is_missing(error):
            return None
        raise
    return found


def environment_stacks(session: Session, environment: str) -> dict[str, dict[str, Any]]:
    """The summaries of all stacks of the environment that modelwright made, by name.

    A stack in REVIEW_IN_PROGRESS has no template yet, so no description either.
    """
    client, found = session.client("cloudformation"), {}
    statuses = client.meta.service_model.shape_for("StackStatus").enum
    wanted = [status for status in statuses if status != "DELETE_COMPLETE"]
    for page in client.get_paginator("list_stacks").paginate(StackStatusFilter=wanted):
        for summary in page["StackSummaries"]:
            ours = str(summary.get("TemplateDescription", "modelwright")).startswith("modelwright")
            if ours and summary["StackName"].startswith(f"mw-{environment}-"):
                found[summary["StackName"]] = summary
    return found


def pipeline_of(environment: str, stack: str) -> str | None:
    """The pipeline that a stack of this environment belongs to; None for the one that all share."""
    name = stack.removeprefix(f"mw-{environment}-")
    return None if name == "data" else name.removesuffix("-data")


def stack_resources(session: Session, name: str) -> dict[str, str]:
    """A stack's physical ids by type; empty when there is no such stack."""
    from botocore.exceptions import ClientError  # noqa: PLC0415 # see session.py

    from modelwright.client.problems import is_missing  # noqa: PLC0415 # as above

    try:
        found = session.client("cloudformation").describe_stack_resources(StackName=name)["StackResources"]
    except ClientError as error:
        if is_missing(error):
            return {}
        raise
    return {entry["ResourceType"]: entry.get("PhysicalResourceId", "") for entry in found}


def _read(session: Session, pipeline: str, stack: dict[str, Any]) -> Deployment:
    outputs = {entry["OutputKey"]: entry["OutputValue"] for entry in stack.get("Outputs", [])}
    named = _OUTPUTS | {key: name for key, name in _OPTIONAL.items() if name in outputs}
    missing = sorted(set(_OUTPUTS.values()) - set(outputs))
    if missing:
        raise NotDeployed(
            f"The stack {stack['StackName']} ({stack['StackStatus']}) has no output {', '.join(missing)}.",
            _next_step(session, pipeline),
        )
    return Deployment(pipeline, stack["StackName"], **{key: outputs[name] for key, name in named.items()})


def _next_step(session: Session, pipeline: str) -> str:
    command = f"modelwright {'run' if session.is_local else 'deploy'} {pipeline}{session.environment_option}"
    return f"`{command}` makes it."
