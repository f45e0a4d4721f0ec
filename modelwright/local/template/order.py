"""In which order the resources of a stack are made: each after what it refers to."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, Any

from .intrinsics import TemplateError, references

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .assembly import StackTemplate
    from .intrinsics import Scope

Needs = dict[str, set[str]]
"""Logical id of a resource to those of the resources that have to be there first."""


def enabled(entries: Mapping[str, Any], scope: Scope) -> Iterator[tuple[str, Any]]:
    """The entries (of Resources or Outputs) whose condition holds."""
    return (
        (key, value)
        for key, value in entries.items()
        if "Condition" not in value or scope.condition(value["Condition"])
    )


def needs_of(stack: StackTemplate, scope: Scope) -> Needs:
    """What each enabled resource needs: what it refers to and what it depends on; in the template's order."""
    resources = dict(enabled(stack.template["Resources"], scope))
    return {key: _named(value) & resources.keys() for key, value in resources.items()}


def creation_order(stack: str, needs: Needs) -> list[str]:
    """Logical ids, each after those that it needs; otherwise in the template's order. TemplateError for a circle."""
    position = {key: index for index, key in enumerate(needs)}
    left = {key: set(others) for key, others in needs.items()}
    names, order = list(needs), []
    ready = [position[key] for key, others in left.items() if not others]
    heapq.heapify(ready)
    while ready:
        name = names[heapq.heappop(ready)]
        order.append(name)
        for other, others in left.items():
            if name in others:
                others.discard(name)
                if not others:
                    heapq.heappush(ready, position[other])
    if len(order) < len(names):
        circle = ", ".join(sorted(set(names) - set(order)))
        raise TemplateError(f"{stack}: these resources need each other in a circle: {circle}.")
    return order


def _named(definition: Mapping[str, Any]) -> set[str]:
    depends = definition.get("DependsOn", [])
    named = {depends} if isinstance(depends, str) else set(depends)
    return named | set(references(definition.get("Properties", {})))
