"""JSON by the schema's types: objects of fixed fields instead of dicts, several times as fast for many rows.

What is taken is read as `rows.from_json` reads it; everything else is left to that, which also tells what is wrong.
"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any

import msgspec

from modelwright.serving.bodies import rows
from modelwright.serving.problems import RequestError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from modelwright.serving.bodies.rows import Array
    from modelwright.serving.schema import Schema

_TYPES: dict[str, Any] = {"string": str, "number": float, "integer": float, "boolean": bool}
_MISSING: dict[str, Any] = {name: kind | None for name, kind in _TYPES.items()}


def fields(count: int) -> list[str]:
    """Return the attributes of what `struct` makes."""
    return [f"f{at}" for at in range(count)]


def struct(names: Sequence[str], types: Sequence[Any]) -> Any:
    """Return a class of these fields; None for names that msgspec has no such class for: with quotes, or twice."""
    described = zip(fields(len(names)), types, map(_named, names), strict=True)
    try:
        return msgspec.defstruct("Row", list(described), gc=False)
    except (ValueError, TypeError):
        return None


def _named(name: str) -> Any:
    return msgspec.field(name=name)


def decoder(schema: Schema) -> Callable[[bytes | str], Sequence[Any] | None] | None:
    """Return what decodes the rows of a document: one object, a list of them, or `{"instances": [{…}]}`.

    It gives None for what the types do not allow. None instead of a decoder for columns with odd names.
    """
    kinds = [_MISSING[c.type] if c.missing else _TYPES[c.type] for c in schema.columns]
    one = struct(schema.names, kinds)
    if one is None:
        return None
    listed: Any = list[one]  # type: ignore[valid-type]  # a class that is made here
    many: Any = msgspec.defstruct("Instances", [("instances", listed)], gc=False)
    of_one, of_list, of_many = (msgspec.json.Decoder(kind).decode for kind in (one, listed, many))

    def decode(body: bytes | str) -> Sequence[Any] | None:
        text = not isinstance(body, bytes)
        try:
            if body.startswith("[" if text else b"["):  # type: ignore[arg-type]  # as is looked at
                found: Sequence[Any] = of_list(body)
                return found
            if ('"instances"' if text else b'"instances"') in body:  # type: ignore[operator]  # as above
                return of_many(body).instances  # type: ignore[no-any-return]  # it has that field
            if ("\\" if text else b"\\") in body:  # type: ignore[operator]  # the word could be written otherwise
                return None
            return (of_one(body),)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            return None

    return decode


class Reader:
    """Reads the rows of a document into one array a column."""

    def __init__(self, schema: Schema) -> None:
        """Read by this schema."""
        self._columns = schema.columns
        self._decode = decoder(schema)
        self._getters = [attrgetter(name) for name in fields(len(schema.columns))]

    def read(self, text: str) -> list[Array] | None:
        """Return what `rows.from_json` returns; None for what that has to look at."""
        found = self._decode(text) if self._decode is not None else None
        if not found:
            return None
        cells = [list(map(getter, found)) for getter in self._getters]
        try:
            return rows.arrays(list(zip(self._columns, cells, strict=True)))
        except RequestError:
            return None
