"""The environment variables of a function as a typed value: all that are missing or wrong at once."""

from __future__ import annotations

import dataclasses
import typing
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping

T = TypeVar("T")


class EnvironmentInvalid(Exception):
    """The function was deployed without what it needs."""


def read_env(kind: type[T], environment: Mapping[str, str]) -> T:
    """Build the dataclass `kind`: the field `table_name` comes from `TABLE_NAME`; one with a default may be absent."""
    hints = typing.get_type_hints(kind)
    values: dict[str, object] = {}
    problems = []
    for field in dataclasses.fields(kind):  # type: ignore[arg-type] # T is a dataclass: that is what it is for
        name = field.name.upper()
        text = environment.get(name, "")
        if not text and field.default is not dataclasses.MISSING:
            continue
        if not text:
            problems.append(f"{name} is not set")
        elif hints[field.name] is int and not text.isdecimal():
            problems.append(f"{name} is {text!r}; it must be a whole number")
        else:
            values[field.name] = int(text) if hints[field.name] is int else text
    if problems:
        raise EnvironmentInvalid(f"environment of {kind.__module__}: {'; '.join(problems)}.")
    return kind(**values)
