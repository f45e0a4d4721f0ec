"""Does an event match a rule's pattern?

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
"""

from __future__ import annotations

import operator
import re
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_MISSING = object()
_NUMERIC: dict[str, Callable[[float, float], bool]] = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def check_pattern(pattern: Mapping[str, Any]) -> None:
    """Refuse a pattern with an operator that is not known here.

    Raises:
        ValueError: it names the operator or the place that is no list.
    """
    for key, wanted in pattern.items():
        if isinstance(wanted, dict):
            check_pattern(wanted)
        elif not isinstance(wanted, list):
            problem = f"event pattern: {key!r} holds {wanted!r}; a list or an object belongs there"
            raise ValueError(problem)  # noqa: TRY004 - a pattern is data: whatever is wrong with it is a value
        elif key == "$or":
            for item in wanted:
                check_pattern(item)
        else:
            _check_items(wanted)


def _check_items(items: list[Any]) -> None:
    for item in items:
        if isinstance(item, dict) and (len(item) != 1 or next(iter(item)) not in _OPERATORS):
            raise ValueError(
                f"event pattern: {item!r} is not supported by the local cloud; "
                f"operators are {', '.join(sorted(_OPERATORS))}"
            )
        if isinstance(item, dict) and "wildcard" in item:
            _wildcard(item["wildcard"])


def matches(pattern: Mapping[str, Any], event: Mapping[str, Any]) -> bool:
    """True when every field of the pattern matches; a list in the event matches by any of its items."""
    return all(_field(key, wanted, event) for key, wanted in pattern.items())


def _field(key: str, wanted: Any, event: Mapping[str, Any]) -> bool:
    if key == "$or":
        return any(matches(item, event) for item in wanted)
    found = event.get(key, _MISSING)
    if isinstance(wanted, dict):
        return matches(wanted, found if isinstance(found, dict) else {})
    values = found if isinstance(found, list) else [found]
    return any(_item(item, value) for item in wanted for value in values or [_MISSING])


def _item(item: Any, value: Any) -> bool:
    if isinstance(item, dict):
        ((name, argument),) = item.items()
        return _OPERATORS[name](argument, value)
    return value is not _MISSING and type(item) is type(value) and bool(item == value)


def _anything_but(argument: Any, value: Any) -> bool:
    if value is _MISSING:
        return False
    if isinstance(argument, dict):
        return not _item(argument, value)
    return value not in (argument if isinstance(argument, list) else [argument])


def _numeric(argument: list[Any], value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return all(_NUMERIC[sign](value, limit) for sign, limit in zip(argument[::2], argument[1::2], strict=True))


@cache
def _wildcard(pattern: str) -> re.Pattern[str]:
    """`*` stands for any characters unless a backslash is before it; two in a row are refused, as is another escape."""
    if not re.fullmatch(r"(?:[^*\\]|\\[*\\]|\*(?!\*))*", pattern, re.DOTALL):
        raise ValueError(
            f"event pattern: the wildcard {pattern!r} is not valid; a backslash stands before * or another backslash, "
            "and no * beside another"
        )
    parts = re.findall(r"\\[*\\]|[^\\]", pattern, re.DOTALL)
    return re.compile("".join(".*" if part == "*" else re.escape(part[-1]) for part in parts), re.DOTALL)


_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "prefix": lambda argument, value: isinstance(value, str) and value.startswith(argument),
    "suffix": lambda argument, value: isinstance(value, str) and value.endswith(argument),
    "equals-ignore-case": lambda argument, value: isinstance(value, str) and value.lower() == argument.lower(),
    "exists": lambda argument, value: (value is not _MISSING) == argument,
    "anything-but": _anything_but,
    "numeric": _numeric,
    "wildcard": lambda argument, value: isinstance(value, str) and bool(_wildcard(argument).fullmatch(value)),
}
