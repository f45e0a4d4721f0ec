"""Which variables an expression names: what is bound for it, and what Step Functions refuses at creation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jsonata.parser import Parser

if TYPE_CHECKING:
    from collections.abc import Iterator


def references_of(tree: Any) -> frozenset[str]:
    """Give the variables named in a parsed expression, without `$`; a function that is called counts as one.

    `states.input` stands for `$states.input…`, `states` for all of it; `""` for `$` and `"$"` for `$$`.
    """
    nodes = list(_nodes(tree))
    members = {id(node.steps[0]): _member(node) for node in nodes if _begins_with_states(node)}
    return frozenset(_name(node, members.get(id(node))) for node in nodes if _is_variable(node))


def _name(node: Any, member: str | None) -> str:
    return f"states.{member}" if member else str(node.value)


def _is_variable(node: Any) -> bool:
    return getattr(node, "type", None) == "variable" and isinstance(node.value, str)


def _begins_with_states(node: Any) -> bool:
    steps: Any = getattr(node, "steps", None)
    return bool(steps) and _is_variable(steps[0]) and steps[0].value == "states"


def _member(path: Any) -> str | None:
    """Give `input` of `$states.input`; None when something else than a plain name follows."""
    plain = len(path.steps) > 1 and path.steps[1].type == "name" and not getattr(path.steps[0], "predicate", None)
    return str(path.steps[1].value) if plain else None


def _nodes(tree: Any) -> Iterator[Any]:
    seen: set[int] = set()
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, (list, tuple)):
            waiting.extend(node)
        elif isinstance(node, dict):
            waiting.extend(node.values())
        elif isinstance(node, Parser.Symbol):
            yield node
            waiting.extend(
                value for name, value in vars(node).items() if name not in ("outer_instance", "_outer_instance")
            )
