"""What of a pipeline costs money and is no resource of its stack, or should have gone with it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from modelwright.client.deployment import describe_stack, stack_name
from modelwright.client.problems import is_missing
from modelwright.workflow.run_names import ATTEMPT_LENGTH, RUN_ID_LENGTH, deployment_run, is_batch_model, name_prefix

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelwright.client.session import Session

_JOBS = (
    ("list_training_jobs", "TrainingJobSummaries", "TrainingJobName"),
    ("list_processing_jobs", "ProcessingJobSummaries", "ProcessingJobName"),
    ("list_transform_jobs", "TransformJobSummaries", "TransformJobName"),
)
_AT_WORK = ("InProgress", "Stopping")


@dataclass(frozen=True)
class EndpointConfig:
    """Which configuration an endpoint has, and its status."""

    config: str
    status: str
    reason: str = ""
    """Why it is Failed, or was sent back, as far as SageMaker says."""


def endpoint_config(session: Session, name: str) -> EndpointConfig | None:
    """Return what the endpoint `name` is; None when there is none."""
    from botocore.exceptions import ClientError  # noqa: PLC0415 # see session.py

    try:
        found = session.client("sagemaker").describe_endpoint(EndpointName=name)
    except ClientError as error:
        if is_missing(error):
            return None
        raise
    return EndpointConfig(found.get("EndpointConfigName", ""), found["EndpointStatus"], found.get("FailureReason", ""))


def models_and_configs(session: Session, environment: str, pipeline: str) -> Iterator[tuple[str, str, list[str]]]:
    """Yield kind, its name's key and the names of what runs of this pipeline made; configurations first."""
    client = session.client("sagemaker")
    for what, member, key in (
        ("endpoint_config", "EndpointConfigs", "EndpointConfigName"),
        ("model", "Models", "ModelName"),
    ):
        pages = client.get_paginator(f"list_{what}s").paginate(NameContains=name_prefix(environment, pipeline))
        found = [entry[key] for page in pages for entry in page[member]]
        yield what, key, [name for name in found if _is_ours(environment, pipeline, name)]


def _is_ours(environment: str, pipeline: str, name: str) -> bool:
    return deployment_run(environment, pipeline, name) is not None or is_batch_model(environment, pipeline, name)


def costly(session: Session, environment: str, pipeline: str) -> Iterator[str]:
    """Yield what is there and should not be: endpoint, configurations, models, jobs at work, stack, alarms."""
    name = stack_name(environment, pipeline)
    found = endpoint_config(session, name)
    if found and deployment_run(environment, pipeline, found.config):
        yield f"the endpoint {name} ({found.status})"
    for what, _, names in models_and_configs(session, environment, pipeline):
        yield from (f"the {what.replace('_', ' ')} {each}" for each in names)
    yield from _jobs(session, environment, pipeline)
    stack = describe_stack(session, name)
    if stack and stack["StackStatus"] != "DELETE_COMPLETE":
        yield f"the stack {name} ({stack['StackStatus']})"
    yield from (f"the alarm {each}" for each in _alarms(session, name))


def batch_jobs(session: Session, environment: str, pipeline: str) -> Iterator[str]:
    """Yield the names of the batch transform jobs that run; no run stops these."""
    yield from (name for name, _ in _at_work(session, environment, pipeline, ("InProgress",), _JOBS[-1:]))


def _jobs(session: Session, environment: str, pipeline: str) -> Iterator[str]:
    found = _at_work(session, environment, pipeline, _AT_WORK, _JOBS)
    yield from (f"job {name} ({status})" for name, status in found)


def _at_work(
    session: Session,
    environment: str,
    pipeline: str,
    statuses: tuple[str, ...],
    kinds: tuple[tuple[str, str, str], ...],
) -> Iterator[tuple[str, str]]:
    client, prefix = session.client("sagemaker"), name_prefix(environment, pipeline)
    ours = re.compile(rf"{re.escape(prefix)}[a-z]+-[0-9a-f]{{{RUN_ID_LENGTH}}}-[0-9]{{{ATTEMPT_LENGTH}}}")
    for operation, member, key in kinds:
        for status in statuses:
            pages = client.get_paginator(operation).paginate(NameContains=prefix, StatusEquals=status)
            found = [entry[key] for page in pages for entry in page[member]]
            yield from ((name, status) for name in found if ours.fullmatch(name))


def _alarms(session: Session, stack: str) -> list[str]:
    """CloudFormation names an alarm `<stack>-<logical id>-<random>`, and a logical id has no hyphen."""
    pages = session.client("cloudwatch").get_paginator("describe_alarms").paginate(AlarmNamePrefix=f"{stack}-")
    found = [entry["AlarmName"] for page in pages for entry in page.get("MetricAlarms", [])]
    return [name for name in found if re.fullmatch(rf"{re.escape(stack)}-[A-Za-z0-9]+-[A-Za-z0-9]+", name)]
