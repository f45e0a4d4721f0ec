"""The events of an execution as what a person asks for: state by state, when, with what, and why it failed.

https://docs.aws.amazon.com/step-functions/latest/apireference/API_HistoryEvent.html
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

Status = Literal["running", "succeeded", "failed", "caught"]

_FAILED = (
    "TaskFailed",
    "TaskTimedOut",
    "TaskSubmitFailed",
    "TaskStartFailed",
    "LambdaFunctionFailed",
    "LambdaFunctionTimedOut",
    "EvaluationFailed",
)


@dataclass
class StateRun:
    """One visit of one state."""

    name: str
    kind: str  # Task, Choice, Wait, Pass, Succeed, Fail
    entered: datetime
    exited: datetime | None = None
    input: Any = None
    output: Any = None
    resource: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    submitted: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""
    cause: str = ""
    attempts: int = 1

    @property
    def status(self) -> Status:
        """`caught`: it failed, and the machine went on."""
        if self.exited is None:
            return "failed" if self.error else "running"
        return "caught" if self.error and not self.output_ok else "succeeded"

    output_ok: bool = False

    @property
    def seconds(self) -> float | None:
        """How long it took, if it is over."""
        return (self.exited - self.entered).total_seconds() if self.exited else None


@dataclass
class History:
    """Takes events in their order, as many at a time as there are."""

    states: list[StateRun] = field(default_factory=list)
    last_event: int = 0
    error: str = ""
    cause: str = ""

    def add(self, events: Iterable[Mapping[str, Any]]) -> list[StateRun]:
        """Take up events; the states that they ended."""
        ended = []
        for event in events:
            self.last_event = max(self.last_event, event["id"])
            state = self._add(event)
            if state is not None:
                ended.append(state)
        return ended

    def _add(self, event: Mapping[str, Any]) -> StateRun | None:
        kind = event["type"]
        if kind.endswith("StateEntered"):
            details = event["stateEnteredEventDetails"]
            self.states.append(
                StateRun(
                    details["name"],
                    kind.removesuffix("StateEntered"),
                    event["timestamp"],
                    input=_json(details.get("input")),
                )
            )
        elif kind.endswith("StateExited"):
            return self._exited(event)
        elif kind in {"ExecutionFailed", "ExecutionTimedOut", "ExecutionAborted"}:
            details = event.get(f"{kind[0].lower()}{kind[1:]}EventDetails", {})
            self.error, self.cause = details.get("error") or kind, details.get("cause", "")
        elif self.states:
            _task(self.states[-1], kind, event)
        return None

    def _exited(self, event: Mapping[str, Any]) -> StateRun | None:
        details = event["stateExitedEventDetails"]
        for state in reversed(self.states):
            if state.name == details["name"] and state.exited is None:
                state.exited, state.output = event["timestamp"], _json(details.get("output"))
                return state
        return None


def _task(state: StateRun, kind: str, event: Mapping[str, Any]) -> None:
    """What an event between entry and exit adds to its state."""
    details = event.get(f"{kind[0].lower()}{kind[1:]}EventDetails", {})
    if kind == "TaskScheduled":
        state.attempts += 1 if state.error else 0
        state.error = state.cause = ""
        state.resource = f"{details.get('resourceType', '')}:{details.get('resource', '')}"
        state.parameters = _json(details.get("parameters")) or {}
    elif kind == "TaskSubmitted":
        state.submitted = _json(details.get("output")) or {}
    elif kind in _FAILED:
        state.error, state.cause = details.get("error", kind), details.get("cause", "")
    elif kind == "TaskSucceeded":
        state.output_ok = True


def _json(text: str | None) -> Any:
    if text is None:
        return None
    try:
        return json.loads(text)
    except ValueError:
        return text


def reason(cause: str) -> str:
    """The part of a failure's cause that a person reads: a failed job's reason, a Lambda's message, or the text itself."""
    found = _json(cause)
    if isinstance(found, dict):
        for key in ("FailureReason", "ExitMessage", "errorMessage", "ErrorMessage"):
            if found.get(key):
                return str(found[key])
    return cause
