"""Where each state lies in the picture: the way to success first, beside it what leaves it, then the failure path."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Edge:
    """A way from one state to another; `kind` is next, choice or catch."""

    source: str
    target: str
    kind: str


@dataclass(frozen=True)
class Place:
    """A cell of the picture's grid."""

    column: int
    row: int


def edges(document: dict[str, Any]) -> list[Edge]:
    """Every way between two states, in the order in which they stand."""
    found: list[Edge] = []
    for name, state in document["States"].items():
        found += [Edge(name, choice["Next"], "choice") for choice in state.get("Choices", [])]
        found += [Edge(name, state["Default"], "choice")] if "Default" in state else []
        found += [Edge(name, state["Next"], "next")] if "Next" in state else []
        found += [Edge(name, catcher["Next"], "catch") for catcher in state.get("Catch", [])]
    return list(dict.fromkeys(found))


def way_to_success(document: dict[str, Any]) -> list[str]:
    """The shortest way from the start to the success that comes last in the definition, without catching anything."""
    succeeded = [name for name, state in document["States"].items() if state["Type"] == "Succeed"]
    deployed = next(name for name in succeeded if name in {"ReportDeployed", "ReportRegistered"})
    start = document["StartAt"]
    came_from: dict[str, str] = {start: start}
    waiting = deque([start])
    while waiting:
        name = waiting.popleft()
        for edge in edges(document):
            if edge.source == name and edge.kind != "catch" and edge.target not in came_from:
                came_from[edge.target] = name
                waiting.append(edge.target)
    way = [deployed]
    while way[-1] != start:
        way.append(came_from[way[-1]])
    return way[::-1]


def failure_path(document: dict[str, Any]) -> list[str]:
    """The states of the failure path, in the order of travel."""
    names = list(document["States"])
    wanted = ["RestoreEndpoint", "CheckRestore", "WaitForRestore", "ReleaseFailedLease"]
    wanted += ["MarkRunFailed", "NotifyFailure", "FailRun"]
    return [name for name in wanted if name in names]


def places(document: dict[str, Any]) -> dict[str, Place]:
    """A cell for each state; no two share one."""
    main, failing = way_to_success(document), failure_path(document)
    found = {name: Place(0, row) for row, name in enumerate(main)}
    taken = set(found.values())
    for name, source in _beside(document, found, set(failing)):
        column = min(2, found[source].column + 1)
        row = found[source].row
        while Place(column, row) in taken:
            row += 1
        found[name] = Place(column, row)
        taken.add(found[name])
    last = max(place.row for place in found.values())
    above = max((place.row for place in found.values() if place.column == 2), default=0)
    first = max(last - len(failing) + 1, above + 2)
    return {**found, **{name: Place(2, first + index) for index, name in enumerate(failing)}}


def _beside(document: dict[str, Any], found: dict[str, Place], failing: set[str]) -> list[tuple[str, str]]:
    """The states that are neither on the way nor failing, each with one that leads to it."""
    waiting, order = deque(found), []
    seen = set(found) | failing
    while waiting:
        name = waiting.popleft()
        for edge in edges(document):
            if edge.source == name and edge.target not in seen:
                seen.add(edge.target)
                order.append((edge.target, name))
                waiting.append(edge.target)
    return order
