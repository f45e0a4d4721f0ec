"""What is known of a request that is one JSONata expression: `$merge([{…}, $plan.train.volume_key])`.

`modelwright.workflow.expressions.with_optional` makes them, where a field may be absent. The object's own fields are
read back; a value in it that is no JSON stays an expression.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

_PAIRS = {"(": ")", "[": "]", "{": "}"}


@dataclass(frozen=True)
class Merged:
    """An object of which a part is known, and the expressions whose fields are added to it."""

    known: dict[str, Any]
    added: tuple[str, ...] = ()


def is_expression(value: Any) -> bool:
    """Say whether a value of a state is JSONata."""
    return isinstance(value, str) and value.lstrip().startswith("{%")


def merged(value: Any) -> Merged | None:
    """Return what is known of an object: all of a plain one, a part of a merged one; None when nothing is."""
    if isinstance(value, dict):
        return Merged(value)
    if not is_expression(value):
        return None
    text = value.strip()[2:-2].strip()
    if not (text.startswith("$merge([") and text.endswith("])")):
        return None
    known: dict[str, Any] = {}
    added = []
    for part in _split(text[len("$merge([") : -2]):
        if part.startswith("{"):
            known |= _read(part)
        else:
            added.append(part)
    return Merged(known, tuple(added))


def whole(value: Any) -> Any:
    """Return `value` with every merged object in it as the part that is known."""
    found = merged(value)
    if found is not None:
        return {key: whole(item) for key, item in found.known.items()}
    return [whole(item) for item in value] if isinstance(value, list) else value


def _read(text: str) -> Any:
    """A value as `expression` writes it: objects and lists, JSON, else JSONata."""
    if text.startswith("{") and text.endswith("}"):
        pairs = (_pair(item) for item in _split(text[1:-1]))
        return {json.loads(key): _read(item) for key, item in pairs}
    if text.startswith("[") and text.endswith("]"):
        return [_read(item) for item in _split(text[1:-1])]
    try:
        return json.loads(text)
    except ValueError:
        return "{% " + text + " %}"


def _pair(text: str) -> tuple[str, str]:
    key, value = _split(text, ":", at_most=1)
    return key, value


def _split(text: str, separator: str = ",", at_most: int | None = None) -> list[str]:
    """The parts of `text` between separators that stand in no bracket and in no quotes."""
    parts: list[str] = []
    start, closing, quote, escaped = 0, "", "", False
    for number, letter in enumerate(text):
        if quote:
            quote, escaped = ("" if letter == quote and not escaped else quote), letter == "\\" and not escaped
        elif letter in "\"'":
            quote = letter
        elif letter in _PAIRS:
            closing = _PAIRS[letter] + closing
        elif closing and letter == closing[0]:
            closing = closing[1:]
        elif letter == separator and not closing and (at_most is None or len(parts) < at_most):
            parts.append(text[start:number].strip())
            start = number + 1
    last = text[start:].strip()
    return [*parts, last] if last else parts
