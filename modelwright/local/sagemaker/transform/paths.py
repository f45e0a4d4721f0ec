"""The JSONPath of batch transform's filters: the operators that AWS documents, and no others.

https://docs.aws.amazon.com/sagemaker/latest/dg/batch-transform-data-processing.html#data-processing-operators
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_STEP = re.compile(r"\.?\[([^\]]*)\]|\.([A-Za-z_][\w-]*|\*)")
_NAMES = re.compile(r"\s*'([^']*)'\s*(?:,\s*'([^']*)'\s*)*")
_PLACES = re.compile(r"\s*(?:-?\d+|-?\d*\s*:\s*-?\d*)\s*(?:,\s*(?:-?\d+|-?\d*\s*:\s*-?\d*)\s*)*")
_ALLOWED = "$, .name, .*, ['name', …], [number, …], [start:end]"


class PathError(ValueError):
    """An expression that is none of AWS's, or a record that does not have what it asks for."""


@dataclass(frozen=True)
class Names:
    """`.name`, `['a','b']`: one child, or an object of several."""

    names: tuple[str, ...]

    def select(self, value: Any) -> Any:
        """Return the child's value, or the object of those named."""
        if not isinstance(value, dict):
            raise PathError(f"{self.names[0]!r} is asked of what is no object")
        absent = [name for name in self.names if name not in value]
        if absent:
            raise PathError(f"there is no {absent[0]!r}")
        return value[self.names[0]] if len(self.names) == 1 else {name: value[name] for name in self.names}


@dataclass(frozen=True)
class Places:
    """`[0]`, `[0,-1]`, `[1:]`, `[0,5:]`: elements of a list by index and slice."""

    parts: tuple[int | slice, ...]

    def select(self, value: Any) -> Any:
        """Return the element of a single index, else the list of those asked for."""
        if not isinstance(value, list):
            raise PathError("an index is asked of what is no list")
        found = [value[place] for place in self.of(len(value))]
        return found[0] if len(self.parts) == 1 and isinstance(self.parts[0], int) else found

    def of(self, length: int) -> list[int]:
        """Return the indices in a list of this length; PathError for one outside, as AWS fails the job then."""
        found: list[int] = []
        for part in self.parts:
            if isinstance(part, slice):
                found += range(*part.indices(length))
            elif -length <= part < length:
                found.append(part % length)
            else:
                raise PathError(f"the index {part} is outside of a record of {length} values")
        return found


@dataclass(frozen=True)
class Every:
    """`.*`, `[*]`: all children as a list."""

    def select(self, value: Any) -> Any:
        """Return the children."""
        if isinstance(value, dict):
            return list(value.values())
        if isinstance(value, list):
            return value
        raise PathError("* is asked of what has no children")


Step = Names | Places | Every


@dataclass(frozen=True)
class Path:
    """A filter."""

    text: str
    steps: tuple[Step, ...]

    @property
    def whole(self) -> bool:
        """Whether it is `$`: nothing is left out."""
        return not self.steps

    def select(self, value: Any) -> Any:
        """Return what it selects of a JSON value; PathError when the value does not have it."""
        for step in self.steps:
            value = step.select(value)
        return value

    def places(self, width: int) -> list[int]:
        """Return which of a CSV record's `width` values it selects: a row is a list of them.

        PathError for names, which a row does not have.
        """
        if not self.steps or self.steps == (Every(),):
            return list(range(width))
        if len(self.steps) > 1 or not isinstance(self.steps[0], Places):
            raise PathError(f"{self.text} asks for names; a record of CSV has only places: $[0], $[1:], $[0,-1]")
        return self.steps[0].of(width)


def parse(text: str) -> Path:
    """Read a filter; PathError names what is no operator of AWS's. An empty one is `$`."""
    if not text or text == "$":
        return Path(text or "$", ())
    if not text.startswith("$"):
        raise PathError(f"{text!r} does not begin with $")
    return Path(text, tuple(_steps(text)))


def _steps(text: str) -> Iterator[Step]:
    at = 1
    while at < len(text):
        found = _STEP.match(text, at)
        if found is None:
            raise PathError(f"{text!r}: {text[at:]!r} is no operator of batch transform's; there are {_ALLOWED}")
        yield _bracket(text, found[1]) if found[2] is None else _name(found[2])
        at = found.end()


def _name(name: str) -> Step:
    return Every() if name == "*" else Names((name,))


def _bracket(text: str, inside: str) -> Step:
    if inside.strip() == "*":
        return Every()
    if _NAMES.fullmatch(inside):
        return Names(tuple(re.findall(r"'([^']*)'", inside)))
    if _PLACES.fullmatch(inside):
        return Places(tuple(_place(part.strip()) for part in inside.split(",")))
    raise PathError(f"{text!r}: [{inside}] is no operator of batch transform's; there are {_ALLOWED}")


def _place(part: str) -> int | slice:
    if ":" not in part:
        return int(part)
    start, _, end = (piece.strip() for piece in part.partition(":"))
    return slice(int(start) if start else None, int(end) if end else None)
