"""The events of an execution as what a person asks for: state by state, when, with what, and why it failed.

https://docs.aws.amazon.com/step-functions/latest/apireference/API_HistoryEvent.html
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from modelwright.errors import StateNotFound, names, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

Status = Literal["running", "succeeded", "caught", "failed", "stopped"]

_FAILURES = frozenset(
    f"{what}{how}"
    for what in ("Task", "LambdaFunction", "Activity")
    for how in ("Failed", "TimedOut", "StartFailed", "SubmitFailed", "ScheduleFailed")
) | {"EvaluationFailed"}
_SCHEDULED = frozenset({"TaskScheduled", "LambdaFunctionScheduled", "ActivityScheduled"})
_SUCCEEDED = frozenset({"TaskSucceeded", "LambdaFunctionSucceeded", "ActivitySucceeded"})
_ENDED = frozenset({"ExecutionSucceeded", "ExecutionFailed", "ExecutionTimedOut", "ExecutionAborted"})


@dataclass
class StateRun:
    """One visit of one state."""

    name: str
    kind: str
    """`Task`, `Choice`, `Wait`, `Pass`, `Succeed`, `Fail`, `Map`, `Parallel`."""
    entered: datetime
    input: Any = None
    ended: datetime | None = None
    status: Status = "running"
    """`caught`: it failed, and the machine went on by its Catch; `stopped`: the execution ended around it."""
    output: Any = None
    resource: str = ""
    requests: list[Mapping[str, Any]] = field(default_factory=list)
    """The parameters of each attempt, the last one's last."""
    error: str = ""
    cause: str = ""

    @property
    def attempts(self) -> int:
        """How often its task was started."""
        return len(self.requests)

    @property
    def parameters(self) -> Mapping[str, Any]:
        """What its task was last asked to do."""
        return self.requests[-1] if self.requests else {}

    @property
    def seconds(self) -> float | None:
        """How long it took, if it is over."""
        return (self.ended - self.entered).total_seconds() if self.ended else None


@dataclass
class History:
    """Takes events in their order, as many at a time as there are."""

    states: list[StateRun] = field(default_factory=list)
    """In the order in which they were entered."""
    last_event: int = 0
    ended: bool = False
    error: str = ""
    cause: str = ""
    _state_of_event: dict[int, StateRun] = field(default_factory=dict, repr=False)

    @property
    def running(self) -> list[StateRun]:
        """The states that go on."""
        return [state for state in self.states if state.status == "running"]

    def visits(self, name: str) -> list[StateRun]:
        """The visits of one state.

        Raises:
            StateNotFound: there was none; names the nearest of those there were.
        """
        found = [state for state in self.states if state.name == name]
        if not found:
            known = list(dict.fromkeys(state.name for state in self.states))
            near = nearest(name, known)
            hint = f"Did you mean {near[0]}?" if near else f"It went through {names(known) or 'none'}."
            raise StateNotFound(f"The run went through no state {name!r}.", hint)
        return found

    def add(self, events: Iterable[Mapping[str, Any]]) -> list[StateRun]:
        """Take up events; the states that they ended."""
        over: list[StateRun] = []
        for event in events:
            self.last_event = max(self.last_event, event["id"])
            kind = event["type"]
            if kind.endswith("StateEntered"):
                self._enter(event)
            elif kind.endswith("StateExited"):
                over += self._exit(event)
            elif kind in _ENDED:
                over += self._end(event)
            else:
                self._within(event)
        return over

    def _enter(self, event: Mapping[str, Any]) -> None:
        details = event["stateEnteredEventDetails"]
        kind = event["type"].removesuffix("StateEntered")
        state = StateRun(details["name"], kind, event["timestamp"], _parsed(details.get("input")))
        self.states.append(state)
        self._state_of_event[event["id"]] = state

    def _exit(self, event: Mapping[str, Any]) -> list[StateRun]:
        details = event["stateExitedEventDetails"]
        state = self._state_of(event)
        if state is None or state.name != details["name"] or state.ended:  # what ends a Map comes from one of its items
            state = next((item for item in reversed(self.running) if item.name == details["name"]), None)
        if state is None:
            return []
        state.ended, state.output = event["timestamp"], _parsed(details.get("output"))
        state.status = "caught" if state.error else "succeeded"
        return [state]

    def _end(self, event: Mapping[str, Any]) -> list[StateRun]:
        """The execution is over, and with it each state that still went on."""
        kind, over = event["type"], self.running
        self.ended = True
        if kind == "ExecutionSucceeded":
            return []
        details = _details(event)
        self.error, self.cause = details.get("error") or _WORDS.get(kind, kind), details.get("cause") or ""
        for state in over:
            state.ended = event["timestamp"]
            state.status = "failed" if kind == "ExecutionFailed" else "stopped"
        if kind == "ExecutionFailed" and over and not any(state.error for state in over):
            over[-1].error, over[-1].cause = self.error, self.cause
        return over

    def _within(self, event: Mapping[str, Any]) -> None:
        """What an event between entry and exit adds to its state."""
        state, kind, details = self._state_of(event), event["type"], _details(event)
        if state is None:
            return
        self._state_of_event[event["id"]] = state
        if kind in _SCHEDULED:
            state.error = state.cause = ""  # another attempt
            state.resource = ":".join(filter(None, (details.get("resourceType"), details.get("resource"))))
            found = _parsed(details.get("parameters"))
            state.requests.append(found if isinstance(found, dict) else {})
        elif kind in _FAILURES:
            state.error, state.cause = details.get("error") or kind, details.get("cause") or ""
        elif kind in _SUCCEEDED:
            state.error = state.cause = ""

    def _state_of(self, event: Mapping[str, Any]) -> StateRun | None:
        """The state that an event belongs to: that of the event it follows from, since branches interleave."""
        return self._state_of_event.get(event.get("previousEventId", 0))


_WORDS = {"ExecutionAborted": "Aborted", "ExecutionTimedOut": "States.Timeout"}


def reason(cause: str) -> str:
    """What a person reads in a failure's cause: a failed job's reason, a Lambda's message, or the text itself."""
    found = _parsed(cause)
    if isinstance(found, dict):
        for key in ("FailureReason", "ExitMessage", "errorMessage", "ErrorMessage"):
            if found.get(key):
                return str(found[key])
    return cause


def _details(event: Mapping[str, Any]) -> Mapping[str, Any]:
    kind = event["type"]
    found: Mapping[str, Any] = event.get(f"{kind[0].lower()}{kind[1:]}EventDetails") or {}
    return found


def _parsed(text: str | None) -> Any:
    if text is None:
        return None
    try:
        return json.loads(text)
    except ValueError:
        return text
