"""Tasks exchange addresses, not data: how large each state's request, result, output and variables can become.

Step Functions ends an execution when one of them has more than 262,144 bytes, and no Catch sees it:
https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html (States.DataLimitExceeded)
https://docs.aws.amazon.com/step-functions/latest/dg/workflow-variables.html (a variable, an Assign, all variables)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from modelwright.client.checks.acceptances import settle
from modelwright.client.checks.literals import is_expression
from modelwright.client.checks.machines import machines
from modelwright.client.checks.report import Finding, Measure
from modelwright.client.checks.results import result_size
from modelwright.client.checks.sizes import Scope, UnknownSizeError, size_of, total
from modelwright.workflow.payload_sizes import CONTEXT, ERROR_OUTPUT, INPUT, Size

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from modelwright.client.checks.machines import Machine
    from modelwright.client.checks.report import Collector
    from modelwright.client.checks.templates import Template

TOOL = "payloads"
MAX_BYTES: Final = 262_144
MAX_ALL_VARIABLES: Final = 10 * 1024 * 1024
_ROUNDS: Final = 20
"""Variables are made of variables: so often their sizes are computed until none grows."""


def check_payloads(templates: Sequence[Template], collector: Collector) -> None:
    """Compute every size and report the largest; what has no bound is a finding."""
    found: list[Finding] = []
    for machine in machines(templates):
        problems, largest = _check(machine)
        found += [Finding(TOOL, rule, machine.where, message) for rule, message in problems]
        if largest:
            bytes_, name = max(largest)
            collector.measure(Measure(f"payload, at most ({name})", machine.where, bytes_, MAX_BYTES, "bytes"))
    settle(TOOL, templates, found, collector)


def _check(machine: Machine) -> tuple[list[tuple[str, str]], list[tuple[int, str]]]:
    variables, problems = _variables(machine)
    sizes: list[tuple[int, str]] = []
    for name, state in machine.states.items():
        problems += [(f"{rule}[{name}]", f"{name} {text}") for rule, text in _passes_on(state)]
        for what, value in _measured(state, variables):
            if isinstance(value, UnknownSizeError):
                problems.append(
                    (f"unbounded[{name}/{what}]", f"nothing says how large {value} is, in {name}'s {what}.")
                )
                continue
            bytes_ = total(value)
            sizes.append((bytes_, f"{name}'s {what}"))
            if bytes_ > MAX_BYTES:
                text = f"{name}'s {what} may have {bytes_} bytes; an execution ends at {MAX_BYTES}."
                problems.append((f"size[{name}/{what}]", text))
    together = sum(total(size) for size in variables.values())
    if together > MAX_ALL_VARIABLES:
        problems.append(("variables", f"all variables may have {together} bytes; AWS takes {MAX_ALL_VARIABLES}."))
    return problems, sizes


def _passes_on(state: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """A whole result, where single fields would do: it grows with what AWS adds to it."""
    whole = ("$states.result", "$states.input")
    for value in (state.get("Output"), *state.get("Assign", {}).values()):
        if is_expression(value) and value.strip()[2:-2].strip() in whole:
            yield "whole", f"passes {value} on: name the fields that are needed."
    if state["Type"] == "Task" and "Output" not in state:
        yield "whole", "has no Output: its whole result is passed on."


def _variables(machine: Machine) -> tuple[dict[str, Size], list[tuple[str, str]]]:
    """How large each variable may become, and those that grow with every round of a loop."""
    sizes: dict[str, Size] = {}
    before: dict[str, int] = {}
    for _ in range(_ROUNDS):
        for state in machine.states.values():
            for name, value, scope in _assigned(state, sizes):
                try:
                    size = size_of(value, scope)
                except UnknownSizeError:
                    continue  # known in a later round, or a finding of the state
                if name not in sizes or total(size) > total(sizes[name]):
                    sizes[name] = size
        now = {name: total(size) for name, size in sizes.items()}
        if now == before:
            return sizes, []
        before, last = now, before
    growing = sorted(name for name, size in before.items() if size != last.get(name))
    return sizes, [("growing", f"${', $'.join(growing)} may grow with every round of a loop.")]


def _assigned(state: Mapping[str, Any], variables: Mapping[str, Size]) -> Iterator[tuple[str, Any, Scope]]:
    scope = _scope(state, variables)
    failed = Scope(variables, {**_ALWAYS, "errorOutput": ERROR_OUTPUT})
    for holder, seen in (
        (state, scope),
        *((item, failed) for item in state.get("Catch", [])),
        *((item, scope) for item in state.get("Choices", [])),
    ):
        for name, value in holder.get("Assign", {}).items():
            yield name, value, seen


_ALWAYS: Final[Mapping[str, Size]] = {"context": CONTEXT, "input": INPUT}


def _scope(state: Mapping[str, Any], variables: Mapping[str, Size]) -> Scope:
    """What a state's own fields may name; of a result, the fields that are asked for."""
    asked = Scope(variables, _ALWAYS)
    if state["Type"] != "Task":
        return asked
    try:
        return Scope(variables, {**_ALWAYS, "result": result_size(state, asked)})
    except UnknownSizeError:
        return asked


def _measured(state: Mapping[str, Any], variables: Mapping[str, Size]) -> Iterator[tuple[str, Size | UnknownSizeError]]:
    """Each thing of a state that has a limit, with its size."""
    scope = _scope(state, variables)
    failed = Scope(variables, {**_ALWAYS, "errorOutput": ERROR_OUTPUT})
    yield "arguments", _try(state.get("Arguments", {}), scope)
    if state["Type"] == "Task":
        yield "result", scope.states.get("result", UnknownSizeError("the result"))
    yield "output", _try(state.get("Output", {}), scope)
    yield "assign", _try(state.get("Assign", {}), scope)
    yield "condition", _try([item.get("Condition", True) for item in state.get("Choices", [])], scope)
    for item in state.get("Catch", []):
        yield "output after an error", _try(item.get("Output", "{% $states.errorOutput %}"), failed)
        yield "assign after an error", _try(item.get("Assign", {}), failed)


def _try(value: Any, scope: Scope) -> Size | UnknownSizeError:
    try:
        return size_of(value, scope)
    except UnknownSizeError as error:
        return error
