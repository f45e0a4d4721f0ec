"""A small interpreter of the pipeline's state machine: real JSONata, answers from a table, no clock and no network.

It is strict where AWS is: an unknown variable, an undefined result and an uncaught error are errors.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import jsonata

EXECUTION = "arn:aws:states:eu-west-1:123456789012:execution:penguins:a_b"
RUN = hashlib.sha256(EXECUTION.encode()).hexdigest()[:12]
MAX_STEPS = 5000


class QueryEvaluationError(Exception):
    """What AWS calls States.QueryEvaluationError."""


class TaskError(Exception):
    def __init__(self, error: str, cause: str | None) -> None:
        super().__init__(error, cause)
        self.error, self.cause = error, cause


def evaluate(text: str, variables: dict[str, Any]) -> Any:
    """Evaluate the expression within `{% … %}` with bound variables and AWS's own functions."""
    expression = jsonata.Jsonata(text[2:-2].strip())
    for name, value in variables.items():
        expression.assign(name, value)
    expression.register_lambda(
        "hash", lambda value, kind: hashlib.new(kind.replace("-", ""), value.encode()).hexdigest()
    )
    expression.register_lambda("parse", json.loads)
    try:
        result = expression.evaluate(None)
    except Exception as error:
        raise QueryEvaluationError(f"{text}: {error}") from error
    if result is None:
        raise QueryEvaluationError(f"{text} is undefined")
    return plain(result)


def plain(value: Any) -> Any:
    """The evaluator's values as JSON's."""
    return json.loads(json.dumps(value))


def resolve(value: Any, variables: dict[str, Any]) -> Any:
    """A field's value with every expression in it evaluated."""
    if isinstance(value, dict):
        return {key: resolve(item, variables) for key, item in value.items()}
    if isinstance(value, list):
        return [resolve(item, variables) for item in value]
    if isinstance(value, str) and value.startswith("{%"):
        return evaluate(value, variables)
    return value


Answer = Callable[[str, Any], Any]


@dataclass
class Walk:
    """One execution: the states that were entered, what each task was asked, and how it ended."""

    definition: dict[str, Any]
    answer: Answer  # (state, arguments) -> result, or raises TaskError
    input: Any = None
    path: list[str] = field(default_factory=list)
    asked: list[tuple[str, Any]] = field(default_factory=list)
    waits: list[int] = field(default_factory=list)
    variables: dict[str, Any] = field(default_factory=dict)
    output: Any = None
    failure: tuple[str, str] | None = None

    def run(self) -> Walk:
        """Go on until the execution ends."""
        name, value = self.definition["StartAt"], self.input
        while name:
            self.path.append(name)
            assert len(self.path) < MAX_STEPS, f"no end: {self.path[-10:]}"
            name, value = self._step(name, self.definition["States"][name], value)
        return self

    def scope(self, name: str, value: Any, **extra: Any) -> dict[str, Any]:
        context = {
            "Execution": {"Id": EXECUTION, "Name": "a_b", "StartTime": "2026-11-20T10:00:00.123Z"},
            "State": {"Name": name, "EnteredTime": "2026-11-20T10:01:00.000Z", "RetryCount": 0},
        }
        return {**self.variables, "states": {"input": value, "context": context, **extra}}

    def _step(self, name: str, state: dict[str, Any], value: Any) -> tuple[str | None, Any]:
        scope = self.scope(name, value)
        kind = state["Type"]
        if kind == "Choice":
            for choice in state["Choices"]:
                if resolve(choice["Condition"], scope) is True:
                    self.variables |= resolve(choice.get("Assign", {}), scope)
                    return choice["Next"], value
            self.variables |= resolve(state.get("Assign", {}), scope)  # the default's: a rule has its own
            return state["Default"], value
        if kind == "Fail":
            self.failure = (resolve(state["Error"], scope), resolve(state["Cause"], scope))
            return None, None
        if kind == "Succeed":
            self.output = resolve(state["Output"], scope)
            return None, None
        if kind == "Wait":
            seconds = resolve(state["Seconds"], scope)
            assert isinstance(seconds, int), f"{name}: Seconds is {seconds!r}"
            assert 0 <= seconds <= 99_999_999
            self.waits.append(seconds)
        if kind == "Task":
            return self._task(name, state, value)
        self.variables |= resolve(state.get("Assign", {}), scope)
        return state["Next"], resolve(state["Output"], scope) if "Output" in state else value

    def _task(self, name: str, state: dict[str, Any], value: Any) -> tuple[str | None, Any]:
        try:
            arguments = resolve(state["Arguments"], self.scope(name, value))
            resolve(state["TimeoutSeconds"], self.scope(name, value))
            self.asked.append((name, arguments))
            result = self.answer(name, arguments)
            scope = self.scope(name, value, result=plain(result))
            assigned = resolve(state.get("Assign", {}), scope)
            output = resolve(state["Output"], scope)
        except (TaskError, QueryEvaluationError) as error:
            if isinstance(error, QueryEvaluationError):
                error = TaskError("States.QueryEvaluationError", str(error))
            return self._caught(name, state, value, error)
        self.variables |= assigned
        return state["Next"], output

    def _caught(self, name: str, state: dict[str, Any], value: Any, error: TaskError) -> tuple[str | None, Any]:
        found = {"Error": error.error} | ({} if error.cause is None else {"Cause": error.cause})
        scope = self.scope(name, value, errorOutput=found)
        for catcher in state["Catch"]:
            if catcher["ErrorEquals"] == ["States.ALL"] or error.error in catcher["ErrorEquals"]:
                self.variables |= resolve(catcher.get("Assign", {}), scope)
                return catcher["Next"], resolve(catcher.get("Output", found), scope)
        raise error
