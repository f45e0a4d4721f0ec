"""How many events a run's history can have at most, from the graph alone; at 25,000 the execution fails.

https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html (Maximum execution history size)
A loop counts only when each round of it passes a Choice whose condition holds `$counter < number`, into a state that
adds one to that counter or leads to one that does, and when nothing inside the loop sets the counter back.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from modelwright.client.checks.acceptances import settle
from modelwright.client.checks.graph import Edge, components, edges, inner_states
from modelwright.client.checks.machines import machines
from modelwright.client.checks.report import Finding, Measure

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from modelwright.client.checks.report import Collector
    from modelwright.client.checks.templates import Template

TOOL = "history"
MAX_EVENTS: Final = 25_000
_AROUND: Final = 2  # ExecutionStarted and its end
_STATE: Final = 3  # entered, exited, and an expression that failed
_ATTEMPT: Final = {False: 3, True: 4}  # scheduled, started, ended; a job that is waited for is also submitted
_GUARD: Final = re.compile(r"\$(\w+)\s*<\s*(\d+)")


class UnboundedLoopError(Exception):
    """A loop that nothing ends."""

    def __init__(self, states: Collection[str]) -> None:
        """Name the states of the loop."""
        super().__init__(", ".join(sorted(states)))


@dataclass(frozen=True)
class _Counted:
    """An edge that is passed at most `times` times, as long as nobody sets `counter` back."""

    edge: Edge
    counter: str
    times: int


def check_history(templates: Sequence[Template], collector: Collector) -> None:
    """Compute the bound of each state machine and compare it with AWS's limit."""
    found: list[Finding] = []
    for machine in machines(templates):
        try:
            events = most_events(machine.definition)
        except UnboundedLoopError as loop:
            message = f"nothing ends the loop of {loop}: no Choice in it counts the rounds."
            found.append(Finding(TOOL, "loop", machine.where, message))
            continue
        collector.measure(Measure("history, at most", machine.where, events, MAX_EVENTS, "events"))
        if events >= MAX_EVENTS:
            message = f"may have {events} events; an execution fails at {MAX_EVENTS}. Shorten what limits its waits."
            found.append(Finding(TOOL, "events", machine.where, message))
    settle(TOOL, templates, found, collector)


def most_events(definition: Mapping[str, Any]) -> int:
    """Return how many events an execution can have at most; raises `UnboundedLoopError`."""
    return _AROUND + _events(definition["States"])


def _events(states: Mapping[str, Any]) -> int:
    visits = dict(_visits(states, list(states), edges(states), 1))
    return sum(visits[name] * _of_state(name, state) for name, state in states.items())


def _visits(
    states: Mapping[str, Any], names: Collection[str], known: Sequence[Edge], times: int
) -> Iterator[tuple[str, int]]:
    """How often each of `names` can be entered, when their part of the graph is entered `times` times."""
    for loop in components(names, known):
        inside = [edge for edge in known if edge.source in loop and edge.target in loop]
        if not inside:
            yield from ((name, times) for name in loop)
            continue
        counted = _counted(states, loop, inside)
        if not counted:
            raise UnboundedLoopError(loop)
        rounds = 1 + sum(item.times for item in counted)
        rest = [edge for edge in inside if edge not in {item.edge for item in counted}]
        yield from _visits(states, loop, rest, times * rounds)


def _counted(states: Mapping[str, Any], loop: Collection[str], inside: Sequence[Edge]) -> list[_Counted]:
    """The edges of a loop that one counter limits."""
    for counter in sorted({name for edge in inside for name, _ in _guards(edge)}):
        if _set_back(states, loop, counter):
            continue
        found = [
            _Counted(edge, counter, limit)
            for edge in inside
            for name, limit in _guards(edge)
            if name == counter and _counts(states, inside, edge.target, counter)
        ]
        if found:
            most = max(item.times for item in found)
            # one counter for all of them: together they are passed as often as the largest limit says
            return [_Counted(item.edge, counter, most if item is found[0] else 0) for item in found]
    return []


def _guards(edge: Edge) -> list[tuple[str, int]]:
    """The counters that an edge's condition asks to be under a number; one that is also met otherwise has none."""
    if re.search(r"\bor\b", edge.condition):
        return []
    return [(name, int(limit)) for name, limit in _GUARD.findall(edge.condition)]


def _counts(states: Mapping[str, Any], inside: Sequence[Edge], name: str, counter: str) -> bool:
    """Whether whoever enters a state and stays in the loop adds one before anything is decided."""
    if _adds_one(states[name], counter):
        return True
    following = [edge.target for edge in inside if edge.source == name]
    plain = states[name]["Type"] != "Choice" and name not in following
    return plain and all(_adds_one(states[target], counter) for target in following)


def _adds_one(state: Mapping[str, Any], counter: str) -> bool:
    return re.fullmatch(rf"\{{%\s*\${counter}\s*\+\s*1\s*%\}}", str(state.get("Assign", {}).get(counter))) is not None


def _set_back(states: Mapping[str, Any], loop: Collection[str], counter: str) -> bool:
    assigned = (item for name in loop for item in _assignments(states[name]) if counter in item)
    return any(not _adds_one({"Assign": item}, counter) for item in assigned)


def _assignments(state: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for holder in (state, *state.get("Catch", []), *state.get("Choices", [])):
        yield holder.get("Assign", {})


def _of_state(name: str, state: Mapping[str, Any]) -> int:
    own = _STATE
    if state["Type"] == "Task":
        attempts = 1 + sum(item.get("MaxAttempts", 3) for item in state.get("Retry", []))
        own += attempts * _ATTEMPT[state["Resource"].endswith(".sync")]
    if state["Type"] == "Map":
        raise UnboundedLoopError([f"{name} (a Map: how many items it has is not known)"])
    return own + sum(_events(inner) for inner in inner_states(state))
