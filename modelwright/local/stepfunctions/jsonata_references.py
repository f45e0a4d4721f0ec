"""Which variables an expression names: what is bound for it, and what Step Functions refuses at creation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jsonata.parser import Parser

if TYPE_CHECKING:
    from collections.abc import Iterator


_OWN_CONTEXT = frozenset({"predicate", "stages", "group", "terms", "outer_instance", "_outer_instance"})
"""what of a node is evaluated with a context that the expression itself gives"""


def references_of(tree: Any) -> frozenset[str]:
    """Give the variables named in a parsed expression, without `$`; a function that is called counts as one.

    `states.input` stands for `$states.input…`, `states` for all of it; `""` for `$` and `"$"` for `$$`.
    """
    nodes = list(_nodes(tree))
    members = {id(node.steps[0]): _member(node) for node in nodes if _begins_with_states(node)}
    return frozenset(_name(node, members.get(id(node))) for node in nodes if _is_variable(node))


def context_names_of(tree: Any) -> list[str]:
    """Give what an expression asks of a context that Step Functions does not give it: `$`, `$$` and bare names.

    "You cannot use $ or $$ at the top level, or unqualified field names": inside a path they are the path's own.
    https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html
    """
    return sorted(set(_context_names(tree)))


def _context_names(node: Any) -> Iterator[str]:
    if isinstance(node, (list, tuple)):
        for member in node:
            yield from _context_names(member)
    if not isinstance(node, Parser.Symbol):
        return
    kind = getattr(node, "type", None)
    if kind == "name" or (kind == "variable" and node.value in ("", "$")):
        yield "$" + str(node.value) if kind == "variable" else str(node.value)
    elif kind == "path":
        yield from _context_names(node.steps[:1])
    elif kind != "transform":
        for name, value in vars(node).items():
            if name not in _OWN_CONTEXT:
                yield from _context_names(value)


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
