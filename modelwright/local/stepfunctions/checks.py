"""What Step Functions refuses when a state machine is created: every problem of a definition, each with its place.

https://docs.aws.amazon.com/step-functions/latest/apireference/API_ValidateStateMachineDefinition.html
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version as installed
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from modelwright.local.stepfunctions import jsonata
from modelwright.local.stepfunctions.programs import InvalidDefinition, check_grammar
from modelwright.local.stepfunctions.resources import resource_problem, unknown_arguments

if TYPE_CHECKING:
    from collections.abc import Iterator

_EXPRESSION_FREE: Final = frozenset({"States", "Branches", "ItemProcessor", "Iterator", "Comment", "Resource", "Type"})


@dataclass(frozen=True)
class Problem:
    """One reason to refuse a definition."""

    message: str
    location: str

    def __str__(self) -> str:
        return f"{self.message} at {self.location}"


def version() -> str:
    """Give what the outcome of these checks depends on besides the definition: the code, and moto's grammar."""
    return _version()


def all_problems(definition: str) -> list[Problem]:
    """Give everything for which Step Functions would refuse the definition: its grammar comes last."""
    found = problems(definition)
    if found:
        return found
    try:
        check_grammar(definition)
    except InvalidDefinition as error:
        return [Problem(*_split(problem)) for problem in error.problems]
    return []


def problems(definition: str) -> list[Problem]:
    """Give what is wrong with a definition beyond its grammar."""
    try:
        machine = json.loads(definition)
    except ValueError as error:
        return [Problem(f"The definition is not JSON: {error}", "/")]
    if not isinstance(machine, dict):
        return [Problem("The definition must be an object", "/")]
    return list(_states_problems(machine, "", machine.get("QueryLanguage", "JSONPath")))


def _states_problems(machine: dict[str, Any], at: str, language: str) -> Iterator[Problem]:
    states = machine.get("States")
    if not isinstance(states, dict) or not states:
        yield Problem("The field 'States' is missing or empty", at or "/")
        return
    if machine.get("StartAt") not in states:
        yield Problem(f"StartAt names the state '{machine.get('StartAt')}', which does not exist", f"{at}/StartAt")
    for name, state in states.items():
        here = f"{at}/States/{name}"
        yield from _target_problems(state, here, states)
        yield from _state_problems(state, here, state.get("QueryLanguage", language))


def _target_problems(state: dict[str, Any], at: str, states: dict[str, Any]) -> Iterator[Problem]:
    named = [(state.get("Next"), f"{at}/Next"), (state.get("Default"), f"{at}/Default")]
    for field in ("Catch", "Choices"):
        named += [(rule.get("Next"), f"{at}/{field}[{index}]/Next") for index, rule in enumerate(state.get(field, []))]
    for target, place in named:
        if target is not None and target not in states:
            yield Problem(f"The state '{target}' does not exist", place)


def _state_problems(state: dict[str, Any], at: str, language: str) -> Iterator[Problem]:
    if state.get("Type") == "Task":
        yield from _task_problems(state, at, language)
    if language == "JSONata":
        for field, value in state.items():
            if field not in _EXPRESSION_FREE:
                yield from _expression_problems(value, f"{at}/{field}")
    processor = state.get("ItemProcessor") or state.get("Iterator")
    if processor:
        field = "ItemProcessor" if "ItemProcessor" in state else "Iterator"
        if processor.get("ProcessorConfig", {}).get("Mode", "INLINE") != "INLINE":
            yield Problem("A distributed Map does not run in the local cloud; use Mode INLINE", f"{at}/{field}")
        yield from _states_problems(processor, f"{at}/{field}", processor.get("QueryLanguage", language))
    for index, branch in enumerate(state.get("Branches", [])):
        yield from _states_problems(branch, f"{at}/Branches[{index}]", branch.get("QueryLanguage", language))


def _task_problems(state: dict[str, Any], at: str, language: str) -> Iterator[Problem]:
    resource = str(state.get("Resource", ""))
    problem = resource_problem(resource)
    if problem is not None:
        yield Problem(problem, f"{at}/Resource")
        return
    field = "Arguments" if language == "JSONata" else "Parameters"
    arguments = state.get(field)
    if isinstance(arguments, dict):
        for unknown in unknown_arguments(resource, arguments):
            yield Problem(f"The field '{unknown}' is not supported by Step Functions", f"{at}/{field}")


def _expression_problems(value: Any, at: str) -> Iterator[Problem]:
    if isinstance(value, dict):
        for key, member in value.items():
            yield from _expression_problems(member, f"{at}/{key}")
    elif isinstance(value, list):
        for index, member in enumerate(value):
            yield from _expression_problems(member, f"{at}[{index}]")
    elif isinstance(value, str) and value.startswith("{%"):
        if not value.endswith("%}"):
            yield Problem("A JSONata expression must end with %}", at)
            return
        problem = _expression_problem(value[2:-2].strip())
        if problem is not None:
            yield Problem(problem, at)


def _expression_problem(expression: str) -> str | None:
    try:
        names = jsonata.references(expression)
    except jsonata.QueryError as error:
        return f"The JSONata expression '{expression}' cannot be parsed: {error}"
    if "eval" in names:
        return f"The JSONata expression '{expression}' calls $eval, which Step Functions has not; use $parse"
    outside = jsonata.context_names(expression)
    if outside:
        return (
            f"The JSONata expression '{expression}' has {', '.join(outside)} at its top level, where there is no "
            "context; did you mean $states.input…?"
        )
    return None


def _split(problem: str) -> tuple[str, str]:
    """Take a grammar problem apart: the text, and the state where it is."""
    message, found, place = problem.rpartition(" at /States/")
    return (message, f"/States/{place}") if found else (problem, "/")


@cache
def _version() -> str:
    sources = b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py")))
    return hashlib.sha256(sources + installed("moto").encode() + installed("botocore").encode()).hexdigest()
