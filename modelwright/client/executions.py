"""Start executions, watch them, find them again."""

from __future__ import annotations

import hashlib
import json
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modelwright.errors import ModelwrightError

from .history import History, StateRun

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from .deployment import Deployment
    from .session import Session


class RunNotFoundError(ModelwrightError):
    """No run answers to this name."""


@dataclass(frozen=True)
class Run:
    """One execution, described."""

    run_id: str
    arn: str
    name: str
    pipeline: str
    status: str  # Step Functions' own: RUNNING, SUCCEEDED, FAILED, TIMED_OUT, ABORTED
    started: datetime
    stopped: datetime | None
    result: Mapping[str, Any]  # the execution's output
    request: Mapping[str, Any]  # its input
    error: str = ""
    cause: str = ""

    @property
    def outcome(self) -> str:
        """What became of it, in one word: `Deployed`, `Rejected` …, or the status of what did not succeed."""
        return (
            str(self.result.get("status") or self.status.capitalize())
            if self.status == "SUCCEEDED"
            else self.status.capitalize()
        )


def run_id(execution_arn: str) -> str:
    """The run's short name, as the state machine itself computes it."""
    return hashlib.sha256(execution_arn.encode()).hexdigest()[:12]


def start(session: Session, deployment: Deployment, request: Mapping[str, Any]) -> str:
    """Start an execution; its ARN. The name is the trigger's id, so that a start sent twice is one execution."""
    name = request["trigger"]["id"]
    answer = session.client("stepfunctions").start_execution(
        stateMachineArn=deployment.state_machine_arn, name=name, input=json.dumps(request)
    )
    return str(answer["executionArn"])


def new_trigger_id() -> str:
    """An id for a start by hand."""
    return str(uuid.uuid4())


def describe(session: Session, pipeline: str, arn: str) -> Run:
    """The execution as it stands."""
    found = session.client("stepfunctions").describe_execution(executionArn=arn)
    return Run(
        run_id(arn),
        arn,
        found["name"],
        pipeline,
        found["status"],
        found["startDate"],
        found.get("stopDate"),
        json.loads(found.get("output") or "{}"),
        json.loads(found.get("input") or "{}"),
        found.get("error", ""),
        found.get("cause", ""),
    )


def watch(
    session: Session, pipeline: str, arn: str, on_change: Callable[[History, list[StateRun]], None]
) -> tuple[Run, History]:
    """Follow an execution to its end, telling what states ended since the last call."""
    history = History()
    while True:
        run = describe(session, pipeline, arn)
        on_change(history, history.add(new_events(session, arn, history.last_event)))
        if run.status != "RUNNING":
            on_change(history, history.add(new_events(session, arn, history.last_event)))
            return run, history
        time.sleep(session.poll_seconds)


def history(session: Session, arn: str) -> History:
    """The whole history of an execution."""
    found = History()
    found.add(new_events(session, arn, 0))
    return found


def new_events(session: Session, arn: str, after: int) -> list[dict[str, Any]]:
    """The events after number `after`, oldest first; read from the end, so that a long history is not read again."""
    client, found, token = session.client("stepfunctions"), [], None
    while True:
        extra = {"nextToken": token} if token else {}
        page = client.get_execution_history(executionArn=arn, reverseOrder=True, maxResults=100, **extra)
        fresh = [event for event in page["events"] if event["id"] > after]
        found += fresh
        token = page.get("nextToken")
        if len(fresh) < len(page["events"]) or not token:
            return found[::-1]


def executions(session: Session, deployment: Deployment) -> Iterator[dict[str, Any]]:
    """The pipeline's executions, newest first."""
    pages = (
        session.client("stepfunctions")
        .get_paginator("list_executions")
        .paginate(stateMachineArn=deployment.state_machine_arn)
    )
    for page in pages:
        yield from page["executions"]


def find(session: Session, deployments: list[Deployment], wanted: str) -> Run:
    """The run with this id (or its beginning), this execution name or ARN; `last` is the newest.

    Raises:
        RunNotFoundError: none, or several, answer to it.
    """
    everything = [(deployment, entry) for deployment in deployments for entry in executions(session, deployment)]
    everything.sort(key=lambda pair: pair[1]["startDate"], reverse=True)
    found = everything[:1] if wanted == "last" else [pair for pair in everything if _answers(pair[1], wanted)]
    if len(found) == 1:
        return describe(session, found[0][0].pipeline, found[0][1]["executionArn"])
    if found:
        raise RunNotFoundError(f"{wanted!r} is the beginning of {len(found)} runs.", hint="Give more of the run's id.")
    known = ", ".join(run_id(entry["executionArn"]) for _, entry in everything[:5])
    raise RunNotFoundError(
        f"there is no run {wanted!r}.", hint=f"The latest are {known}." if known else "Nothing has run yet."
    )


def _answers(entry: Mapping[str, Any], wanted: str) -> bool:
    arn, name = str(entry["executionArn"]), str(entry["name"])
    return wanted in {arn, name} or (len(wanted) >= 4 and (run_id(arn).startswith(wanted) or name.startswith(wanted)))


def stop(session: Session, arn: str, cause: str) -> None:
    """Stop an execution and the job that it waits for."""
    session.client("stepfunctions").stop_execution(executionArn=arn, error="Stopped", cause=cause)
