"""Start executions, watch them, find them again."""

from __future__ import annotations

import hashlib
import json
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modelwright.client.runs.history import History, StateRun
from modelwright.errors import RunNotFound, names

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from modelwright.client.deployment import Deployment
    from modelwright.client.session import Session
    from modelwright.config.execution import ExecutionInput

OnChange = Callable[[History, list[StateRun]], None]
ROLLED_BACK = "RolledBack"
"""The error, and the status in the table, of a deployment that an alarm sent back."""
SHORTEST_BEGINNING = 4
_LATEST = 25
_WHOLE_PAGE = 1000


@dataclass(frozen=True)
class Run:
    """One execution, described."""

    run_id: str
    arn: str
    name: str
    pipeline: str
    status: str
    """Step Functions' own: `RUNNING`, `SUCCEEDED`, `FAILED`, `TIMED_OUT`, `ABORTED`."""
    started: datetime
    stopped: datetime | None
    result: Mapping[str, Any]
    """The execution's output."""
    request: Mapping[str, Any]
    """Its input."""
    error: str = ""
    cause: str = ""

    @property
    def outcome(self) -> str:
        """What became of it, in one word: `Deployed`, `Rejected` …, or the status of what did not succeed.

        `Stopped` and `TimedOut` are what the table calls it, too: as soon as the Lambda `close_run` has come.
        """
        if self.status == "SUCCEEDED" and self.result.get("status"):
            return str(self.result["status"])
        if self.status == "ABORTED":
            return "Stopped"
        if self.error == ROLLED_BACK:
            return ROLLED_BACK
        return "".join(word.capitalize() for word in self.status.split("_"))

    @property
    def trigger_id(self) -> str | None:
        """What names the event that started it, once for ever."""
        trigger = self.request.get("trigger")
        return str(trigger.get("id")) if isinstance(trigger, dict) else None

    @property
    def seconds(self) -> float | None:
        """How long it took, if it is over."""
        return (self.stopped - self.started).total_seconds() if self.stopped else None


def run_id(execution_arn: str) -> str:
    """The run's short name, as the state machine itself computes it."""
    return hashlib.sha256(execution_arn.encode()).hexdigest()[:12]


def new_trigger_id() -> str:
    """An id for a start by hand."""
    return str(uuid.uuid4())


def start(session: Session, deployment: Deployment, request: ExecutionInput) -> str:
    """Start an execution; its ARN. The name is the trigger's id, so that a start sent twice is one execution."""
    answer = session.client("stepfunctions").start_execution(
        stateMachineArn=deployment.state_machine_arn, name=request.trigger.id, input=request.to_json()
    )
    return str(answer["executionArn"])


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
        _object(found.get("output")),
        _object(found.get("input")),
        found.get("error") or "",
        found.get("cause") or "",
    )


def watch(
    session: Session, pipeline: str, arn: str, on_change: OnChange, pause: Callable[[float], None] = time.sleep
) -> tuple[Run, History]:
    """Follow an execution to its end, telling after each look what states ended since the one before.

    While nothing happens the looks become rarer, up to four times.
    """
    history, waited = History(), session.poll_seconds
    while not history.ended:
        fresh = new_events(session, arn, history.last_event)
        on_change(history, history.add(fresh))
        if not history.ended:
            waited = session.poll_seconds if fresh else min(waited * 1.5, session.poll_seconds * 4)
            pause(waited)
    run = describe(session, pipeline, arn)
    while run.status == "RUNNING":  # its last event may be there a moment before its result
        pause(session.poll_seconds)
        run = describe(session, pipeline, arn)
    return run, history


def history(session: Session, arn: str) -> History:
    """The history of an execution as far as it has come."""
    found = History()
    pages = session.client("stepfunctions").get_paginator("get_execution_history")
    for page in pages.paginate(executionArn=arn, PaginationConfig={"PageSize": _WHOLE_PAGE}):
        found.add(page["events"])
    return found


def new_events(session: Session, arn: str, after: int) -> list[dict[str, Any]]:
    """The events after number `after`, oldest first; read from the end, so that a long history is not read again.

    While it is read the execution goes on, so the end of one page may come again on the next one.
    """
    client, found = session.client("stepfunctions"), dict[int, dict[str, Any]]()
    request: dict[str, Any] = {"executionArn": arn, "reverseOrder": True, "maxResults": _LATEST}
    while True:
        page = client.get_execution_history(**request)
        fresh = {event["id"]: event for event in page["events"] if event["id"] > after}
        found |= fresh
        if len(fresh) < len(page["events"]) or not page.get("nextToken"):
            return [found[number] for number in sorted(found)]
        request["nextToken"] = page["nextToken"]


def executions(session: Session, deployment: Deployment, status: str | None = None) -> Iterator[dict[str, Any]]:
    """The pipeline's executions, newest first; with `status` only those."""
    pages = session.client("stepfunctions").get_paginator("list_executions")
    chosen = {"statusFilter": status} if status else {}
    for page in pages.paginate(stateMachineArn=deployment.state_machine_arn, **chosen):
        yield from page["executions"]


def find(session: Session, deployments: Sequence[Deployment], wanted: str) -> Run:
    """The run with this id (or the beginning of it), this execution name or ARN; `last` is the newest.

    Raises:
        RunNotFound: none, or several, answer to it.
    """
    if wanted == "last":
        newest = [(each, entry) for each in deployments for entry in _first(executions(session, each))]
        found = sorted(newest, key=_started)[-1:]
    else:
        everything = ((each, entry) for each in deployments for entry in executions(session, each))
        found = [pair for pair in everything if _answers(pair[1], wanted)]
        found = [pair for pair in found if wanted in {pair[1]["executionArn"], pair[1]["name"]}] or found
    if len(found) == 1:
        return describe(session, found[0][0].pipeline, found[0][1]["executionArn"])
    if found:
        ids = names(run_id(entry["executionArn"]) for _, entry in found[:5])
        raise RunNotFound(f"{wanted!r} is the beginning of {len(found)} runs: {ids}.", "Give more of the run's id.")
    raise RunNotFound(*_no_run(session, deployments, wanted))


def stop(session: Session, arn: str, cause: str) -> None:
    """Stop an execution and the job that it waits for."""
    session.client("stepfunctions").stop_execution(executionArn=arn, error="Stopped", cause=cause)


def stop_named(session: Session, deployment: Deployment, name: str, cause: str) -> bool:
    """Stop the execution of this name if it was started; whether it was. For a start whose answer was not awaited."""
    for entry in executions(session, deployment, "RUNNING"):
        if entry["name"] == name:
            stop(session, entry["executionArn"], cause)
            return True
    return False


def _answers(entry: Mapping[str, Any], wanted: str) -> bool:
    arn, name = str(entry["executionArn"]), str(entry["name"])
    if wanted in {arn, name}:
        return True
    return len(wanted) >= SHORTEST_BEGINNING and (run_id(arn).startswith(wanted) or name.startswith(wanted))


def _no_run(session: Session, deployments: Sequence[Deployment], wanted: str) -> tuple[str, str]:
    if any(each.pipeline == wanted for each in deployments):
        hint = f"`modelwright runs {wanted}{session.options}` lists its runs; `last` is the newest."
        return f"{wanted!r} is a pipeline, not a run.", hint
    latest = sorted(
        ((each, entry) for each in deployments for _, entry in zip(range(5), executions(session, each), strict=False)),
        key=_started,
    )
    ids = [run_id(entry["executionArn"]) for _, entry in latest[:-6:-1]]
    if not ids:
        return "Nothing has run yet.", "`modelwright run` with a pipeline's name starts a run."
    if any(each.startswith(wanted) for each in ids):
        return f"{wanted!r} is too short for a run's id.", f"Give at least {SHORTEST_BEGINNING} characters of it."
    return f"There is no run {wanted!r}.", f"The latest: {names(ids)}."


def _started(pair: tuple[Deployment, Mapping[str, Any]]) -> Any:
    return pair[1]["startDate"]


def _first(entries: Iterator[dict[str, Any]]) -> list[dict[str, Any]]:
    entry = next(entries, None)
    return [] if entry is None else [entry]


def _object(text: str | None) -> Mapping[str, Any]:
    """An execution's input or output, which for ours is an object; another's is shown as it is."""
    found = json.loads(text) if text else {}
    return found if isinstance(found, dict) else {"value": found}
