"""The champion's schema (`models/<pipeline>/<sha256>/schema.json`) as this function reads it, and rows held against it.

The same rules as `modelwright/serving/schema.py`, which no Lambda may import; a contract test holds the two together.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

VERSION = 1
LARGEST = 3.4028234663852886e38
"""A compiled model computes in 32 bits: what is greater is no number to it."""
TRUTHS = frozenset({"true", "True", "TRUE", "false", "False", "FALSE"})
_WANTED = {"number": "a number", "integer": "a whole number", "string": "a text", "boolean": "true or false"}
_LONGEST = 60


class SchemaUnreadable(Exception):
    """The document beside the model is none that this version of the function reads."""


@dataclass(frozen=True)
class Column:
    """One column of the model's input."""

    name: str
    type: str
    missing: bool
    limits: tuple[float, float] | None = None
    """What training saw; a request may have less or more."""
    categories: tuple[str, ...] = ()
    unknown: bool = False
    """Whether the model takes a text that training did not see."""

    def allowed(self) -> str:
        """Say what may stand in it, as the rest of `must be …`."""
        wanted = _WANTED[self.type]
        if self.type == "string" and not self.unknown:
            wanted = _names([repr(name) for name in self.categories], "or")
        return f"{wanted} or missing" if self.missing else wanted

    def takes(self, value: Any) -> bool:
        """Say whether a JSON value may stand in it; a text that is a number counts as one."""
        if value is None:
            return self.missing
        if self.type == "string":
            return isinstance(value, str) and (self.unknown or value in self.categories)
        if self.type == "boolean":
            return isinstance(value, bool) or (isinstance(value, str) and value in TRUTHS)
        number = _as_number(value)
        return number is not None and (self.type == "number" or number.is_integer())


@dataclass(frozen=True)
class Problem:
    """What is wrong with one value of one row, or with a name that is no column's."""

    row: int
    """From 1."""
    column: str
    found: Any
    allowed: str

    def to_dict(self) -> dict[str, Any]:
        """Return it as a part of the answer."""
        return {"row": self.row, "column": self.column, "message": str(self)}

    def __str__(self) -> str:
        """Return `row 2: bill_length_mm is "x"; it must be a number`."""
        found = "missing" if self.found is None else _short(json.dumps(self.found, ensure_ascii=False))
        return f"row {self.row}: {self.column} is {found}; it must be {self.allowed}"


class NoSuchColumn(Problem):
    """A name in a row that no column has; `allowed` are the columns' names."""

    def __str__(self) -> str:
        """Return `row 2: there is no column bill_lenght_mm; the columns are …`."""
        return f"row {self.row}: there is no column {_short(self.column)}; the columns are {self.allowed}"


@dataclass(frozen=True)
class Schema:
    """The columns in their order, and what the model answers."""

    columns: tuple[Column, ...]
    outputs: Mapping[str, Any] | None
    """None where the form of the answers is not known: a script makes them."""
    document: Mapping[str, Any] = field(repr=False, compare=False)
    """As it was read."""

    @classmethod
    def from_json(cls, text: bytes) -> Schema:
        """Read the document; `SchemaUnreadable` for one of another version."""
        try:
            found = json.loads(text)
            version = found["version"]
            if version != VERSION:
                raise SchemaUnreadable(f"the model's schema has version {version!r}; this function reads {VERSION}.")
            return cls(tuple(map(_column, found["columns"])), found.get("outputs"), found)
        except (ValueError, TypeError, KeyError) as error:
            raise SchemaUnreadable(f"the model's schema cannot be read: {type(error).__name__}: {error}.") from error

    def check(self, rows: Sequence[Mapping[str, Any]]) -> list[Problem]:
        """Return all that the model cannot take, row by row; what a row does not have is missing."""
        return [problem for number, row in enumerate(rows, 1) for problem in self._check_row(number, row)]

    def whole(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """Return the row with every column, in their order: what it does not have is null."""
        return {column.name: row.get(column.name) for column in self.columns}

    def _check_row(self, number: int, row: Mapping[str, Any]) -> Iterator[Problem]:
        for column in self.columns:
            value = row.get(column.name)
            if not column.takes(value):
                yield Problem(number, column.name, value, column.allowed())
        names = [column.name for column in self.columns]
        for name in row:
            if name not in names:
                yield NoSuchColumn(number, name, row[name], ", ".join(names))


def _column(found: Mapping[str, Any]) -> Column:
    low_high = found.get("range")
    if found["type"] not in _WANTED:
        raise ValueError(f"the type {found['type']!r}")
    return Column(
        name=found["name"],
        type=found["type"],
        missing=found["missing"],
        limits=(low_high[0], low_high[1]) if low_high else None,
        categories=tuple(found.get("categories", ())),
        unknown=found.get("unknown", False),
    )


def _as_number(value: Any) -> float | None:
    """Return a number, or a text that is one; None for everything else: infinities, NaN, `1_000`."""
    plain_text = isinstance(value, str) and value.isascii() and "_" not in value
    if isinstance(value, bool) or not (isinstance(value, int | float) or plain_text):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if abs(number) <= LARGEST else None


def _names(names: Sequence[str], last: str) -> str:
    return f" {last} ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
