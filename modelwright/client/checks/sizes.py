"""How large the value of a field of a state may become: JSONata's tree is walked with the sizes of what it names."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from modelwright.client.checks.literals import is_expression
from modelwright.workflow.payload_sizes import FLAG, NUMBER, Size

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_COMPARED: Final = frozenset({"=", "!=", "<", "<=", ">", ">=", "and", "or", "in"})
_RECKONED: Final = frozenset({"+", "-", "*", "/", "%"})
_FIXED: Final = {**dict.fromkeys(("exists", "contains", "not", "boolean"), FLAG), "hash": 130, "count": NUMBER}
"""What a function's answer has at most, whatever it is given; a hash has at most 128 hexadecimal digits."""
_AS_LARGE: Final = frozenset({"split", "parse", "merge", "sort", "distinct", "reverse", "append", "trim", "lowercase"})
_UNICODE: Final = 4  # bytes of a character
_SUBSTITUTED: Final = 300


class UnknownSizeError(Exception):
    """Something that nothing says the size of."""


@dataclass(frozen=True)
class Scope:
    """What the names in an expression stand for, and how large each is."""

    variables: Mapping[str, Size] = field(default_factory=dict)
    states: Mapping[str, Size] = field(default_factory=dict)
    """Under `$states`: input, result, errorOutput, context."""


def total(size: Size) -> int:
    """Return the bytes of a value: of an object, with its names and signs."""
    if isinstance(size, int):
        return size
    return 2 + sum(len(name) + 4 + total(item) for name, item in size.items())


def size_of(value: Any, scope: Scope) -> Size:
    """Return how large the value of a state's field may become; raises `UnknownSizeError`."""
    if isinstance(value, dict):
        return {name: size_of(item, scope) for name, item in value.items()}
    if isinstance(value, list):
        return 2 + sum(total(size_of(item, scope)) + 1 for item in value)
    if is_expression(value):
        return _of(_tree(value.strip()[2:-2]), scope)
    placeholders = str(value).count("${")  # which stand for a name or an ARN
    return len(json.dumps(value).encode()) + placeholders * _SUBSTITUTED


@cache
def _tree(expression: str) -> Any:
    from jsonata import Jsonata  # noqa: PLC0415 # heavy, and only for `synth --check`

    return Jsonata(expression).ast


def _of(node: Any, scope: Scope) -> Size:
    found = _KINDS.get(node.type)
    if found is None:
        raise UnknownSizeError(f"an expression of the kind {node.type}")
    return found(node, scope)


def _literal(node: Any, _scope: Scope) -> Size:
    return len(json.dumps(node.value).encode())


def _variable(node: Any, scope: Scope) -> Size:
    if node.value == "states":
        return scope.states
    if node.value not in scope.variables:
        raise UnknownSizeError(f"${node.value}")
    return scope.variables[node.value]


def _path(node: Any, scope: Scope) -> Size:
    """The size of the field; of a value whose fields are not known, that of the whole."""
    size = _of(node.steps[0], scope)
    names = [str(node.steps[0].value)]
    for step in node.steps[1:]:
        names.append(str(step.value))
        if isinstance(size, int):
            return size
        if step.value not in size:
            raise UnknownSizeError(f"${'.'.join(names)}")
        size = size[step.value]
    return size


def _binary(node: Any, scope: Scope) -> Size:
    if node.value in _COMPARED:
        return FLAG
    if node.value in _RECKONED:
        return NUMBER
    if node.value == "&":
        return _bytes(node.lhs, scope) + _bytes(node.rhs, scope)
    raise UnknownSizeError(f"the operator {node.value}")


def _unary(node: Any, scope: Scope) -> Size:
    if node.value == "[":
        return 2 + sum(_bytes(item, scope) + 1 for item in node.expressions)
    if node.value == "{":
        return {str(name.value): _of(item, scope) for name, item in node.lhs_object}
    return NUMBER


def _condition(node: Any, scope: Scope) -> Size:
    """The larger of the two; the fields of both when both have some."""
    then = _of(node.then, scope)
    otherwise: Size = _of(node._else, scope) if node._else is not None else 0  # noqa: SLF001 # the library's name
    return then if total(then) >= total(otherwise) else otherwise


def _block(node: Any, scope: Scope) -> Size:
    return _of(node.expressions[-1], scope)


def _call(node: Any, scope: Scope) -> Size:
    name, arguments = str(node.procedure.value), list(node.arguments)
    if name in _FIXED:
        return _FIXED[name]
    if name == "string":
        return 2 + 2 * _bytes(arguments[0], scope)  # quotes and backslashes are written as two
    if name == "substring" and len(arguments) == 3 and arguments[2].type == "number":
        return min(_bytes(arguments[0], scope), _UNICODE * int(arguments[2].value) + 2)
    if name == "map":  # a part of each item and some words: an item has its fields' names itself
        return 2 * _bytes(arguments[0], scope)
    if name in {"join", *_AS_LARGE}:
        return sum(_bytes(item, scope) for item in arguments)
    raise UnknownSizeError(f"${name}(…)")


def _bytes(node: Any, scope: Scope) -> int:
    return total(_of(node, scope))


_KINDS: Final[Mapping[str, Callable[[Any, Scope], Size]]] = {
    "string": _literal,
    "number": _literal,
    "value": _literal,
    "variable": _variable,
    "path": _path,
    "binary": _binary,
    "unary": _unary,
    "condition": _condition,
    "block": _block,
    "function": _call,
}
