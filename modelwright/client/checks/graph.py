"""The graph of a state machine: which state may follow which, under which condition, and its loops."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence


@dataclass(frozen=True)
class Edge:
    """One way from a state to the next."""

    source: str
    target: str
    condition: str = ""
    """Of a Choice; empty: whatever holds."""


def edges(states: Mapping[str, Any]) -> list[Edge]:
    """Return all edges between `states`: next, default, choices, catches."""
    return [edge for name, state in states.items() for edge in _of_state(name, state)]


def _of_state(name: str, state: Mapping[str, Any]) -> Iterator[Edge]:
    for target in (state.get("Next"), state.get("Default"), *(item["Next"] for item in state.get("Catch", []))):
        if target:
            yield Edge(name, target)
    for choice in state.get("Choices", []):
        yield Edge(name, choice["Next"], str(choice.get("Condition", "")))


def inner_states(state: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the states inside a Map or each branch of a Parallel."""
    found = (state.get("ItemProcessor"), *state.get("Branches", []))
    return [inner["States"] for inner in found if inner]


def components(names: Collection[str], known: Sequence[Edge]) -> list[frozenset[str]]:
    """Return the loops: sets of states each of which can be reached from each; a state in no loop stands alone."""
    following: dict[str, set[str]] = {name: set() for name in names}
    for edge in known:
        if edge.source in following and edge.target in following:
            following[edge.source].add(edge.target)
    reached = {name: _reached(name, following) for name in names}
    loops = {frozenset({name, *(other for other in reached[name] if name in reached[other])}) for name in names}
    return sorted(loops, key=sorted)


def _reached(start: str, following: Mapping[str, set[str]]) -> set[str]:
    """All that comes after `start`, which is itself among it only when it is in a loop."""
    found: set[str] = set()
    waiting = [*following[start]]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting.extend(following[name])
    return found
