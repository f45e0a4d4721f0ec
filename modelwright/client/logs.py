"""Where the output of a state's job or function lies in CloudWatch Logs.

Jobs: https://docs.aws.amazon.com/sagemaker/latest/dg/logging-cloudwatch.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .history import StateRun
    from .session import Session

_JOBS = {
    "ProcessingJobName": "/aws/sagemaker/ProcessingJobs",
    "TrainingJobName": "/aws/sagemaker/TrainingJobs",
    "TransformJobName": "/aws/sagemaker/TransformJobs",
}


@dataclass(frozen=True)
class Place:
    """Part of a log group: streams that begin with `stream`, between two moments (epoch milliseconds) if given."""

    group: str
    stream: str
    start: int | None = None
    end: int | None = None


@dataclass(frozen=True)
class LogEvent:
    """One line."""

    key: tuple[str, int, str]
    text: str


def places(session: Session, state: StateRun) -> list[Place]:
    """Where to look for what this state printed; empty for a state that runs nothing."""
    for member, group in _JOBS.items():
        if member in state.parameters:
            return [Place(group, f"{state.parameters[member]}/")]
    function = state.parameters.get("FunctionName")
    if not function:
        return []
    settings = session.client("lambda").get_function_configuration(FunctionName=function)
    group = settings.get("LoggingConfig", {}).get("LogGroup") or f"/aws/lambda/{settings['FunctionName']}"
    end = round(state.exited.timestamp() * 1000) + 1000 if state.exited else None
    return [Place(group, "", round(state.entered.timestamp() * 1000), end)]


def events(session: Session, place: Place) -> Iterator[LogEvent]:
    """The lines, oldest first; nothing when the group is not there (the job never began)."""
    client = session.client("logs")
    times = {"startTime": place.start, "endTime": place.end}
    extra = {key: value for key, value in times.items() if value is not None}
    if place.stream:
        extra["logStreamNamePrefix"] = place.stream
    try:
        for page in client.get_paginator("filter_log_events").paginate(logGroupName=place.group, **extra):
            for event in page["events"]:
                yield LogEvent(
                    (event["logStreamName"], event["timestamp"], event["eventId"]), event["message"].rstrip("\n")
                )
    except client.exceptions.ResourceNotFoundException:
        return
