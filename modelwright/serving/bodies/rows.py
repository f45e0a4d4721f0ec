"""The rows of a request as one array a column, by the model's schema: from CSV and from JSON.

A body is read the way that succeeds, column by column; only when a column does not convert is each of its values
looked at, so that the answer names every wrong one. What a value may be: `schema.Column.takes`.
"""

from __future__ import annotations

import csv
import io
import math
from itertools import chain
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from modelwright.errors import names
from modelwright.serving.problems import RequestError
from modelwright.serving.schema import FALSE, LARGEST, MISSING_TEXTS, TRUE, Column, Problem, Schema, as_number

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Array = np.ndarray[Any, Any]
    Cells = Sequence[Any]

MOST_SHOWN = 20
"""so many wrong values are told one by one"""
_NUMBERS = frozenset({int, float, type(None)})
_TRUTHS: dict[Any, float] = (
    dict.fromkeys(TRUE, 1.0) | dict.fromkeys(FALSE, 0.0) | {True: 1.0, False: 0.0, None: math.nan}
)


def from_csv(text: str, schema: Schema) -> list[Array]:
    """Return one array a column, `(n_rows, 1)`; RequestError 400 with all that is wrong.

    The first line is a header when it has the name of a column: then columns stand in any order, beside others. Without
    one, rows have the schema's columns in their order. Blank lines are none. What pandas takes as missing is missing.
    """
    width, cells = _cells(text)
    first = [name.strip() for name in cells[:width]]
    begin = 0
    if not set(first).isdisjoint(schema.names):
        places, begin = _places(first, schema), width
        if len(cells) == width:
            raise _bad("The body has a header, but no rows.")
    elif width != len(schema.columns):
        wanted = f"{len(schema.columns)}: {', '.join(schema.names)}"
        raise _bad(f"A row without a header has {width} values; it must have {wanted}.")
    else:
        places = list(range(width))
    plain = text.isascii() and "_" not in text  # `1_000` and digits of other scripts are numbers for Python alone
    read = _csv_numbers if plain else _csv_odd_numbers
    found = [cells[begin + place :: width] for place in places]
    return _arrays(list(zip(schema.columns, found, strict=True)), read)


def from_json(body: bytes | str, schema: Schema) -> list[Array]:
    """Return one array a column, `(n_rows, 1)`; RequestError 400 with all that is wrong.

    The document is an object, a list of objects, a list of lists in the schema's order, or `{"instances": […]}`. A name
    that no row has is an error; one that some have is missing in the others. `null` is missing.
    """
    rows = _rows(_parsed(body))
    if isinstance(rows[0], dict):
        if set(map(type, rows)) != {dict}:
            raise _bad(_mixed(rows, dict, "an object"))
        return _arrays(_named_cells(rows, schema), _json_numbers)
    if set(map(type, rows)) != {list}:
        raise _bad(_mixed(rows, list, "a list"))
    if set(map(len, rows)) != {len(schema.columns)}:
        wrong = next(number for number, row in enumerate(rows, 1) if len(row) != len(schema.columns))
        wanted = f"{len(schema.columns)}: {', '.join(schema.names)}"
        raise _bad(f"Row {wrong} has {len(rows[wrong - 1])} values; it must have {wanted}.")
    return _arrays(list(zip(schema.columns, zip(*rows, strict=True), strict=True)), _json_numbers)


def arrays(columns: Sequence[tuple[Column, Cells]]) -> list[Array]:
    """Return one array a column from JSON's values; RequestError 400 with all that is wrong."""
    return _arrays(columns, _json_numbers)


def _cells(text: str) -> tuple[int, list[str]]:
    """Return the width of the lines that are not blank, and all of their values, one line after the other.

    Quotes as RFC 4180 has them: https://www.rfc-editor.org/rfc/rfc4180.
    """
    if '"' in text:
        return _quoted_cells(text)
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    lines = [line for line in text.split("\n") if line and not line.isspace()]
    commas = {line.count(",") for line in lines}
    if len(commas) != 1:
        raise _bad(_uneven([line.split(",") for line in lines]))
    return commas.pop() + 1, ",".join(lines).split(",")


def _quoted_cells(text: str) -> tuple[int, list[str]]:
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        raise _bad(f"The body is not CSV: {error}.") from None
    rows = [row for row in rows if row and not (len(row) == 1 and not row[0].strip())]
    if len(set(map(len, rows))) != 1:
        raise _bad(_uneven(rows))
    return len(rows[0]), list(chain.from_iterable(rows))


def _places(header: list[str], schema: Schema) -> list[int]:
    missing = [name for name in schema.names if name not in header]
    if missing:
        raise _bad(f"The column {names(missing)} is missing; needed are {', '.join(schema.names)}.")
    twice = [name for name in schema.names if header.count(name) > 1]
    if twice:
        raise _bad(f"The header has {names(twice)} more than once.")
    return [header.index(name) for name in schema.names]


def _uneven(rows: list[list[str]]) -> str:
    if not rows:
        return "The body has no rows."
    width = len(rows[0])
    wrong = next(number for number, row in enumerate(rows, 1) if len(row) != width)
    return f"The first line has {width} values, but line {wrong} (blank ones not counted) has {len(rows[wrong - 1])}."


def _parsed(body: bytes | str) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _bad(f"The body is not JSON: {error}.") from None
    except RecursionError:
        raise _bad("The body is not JSON that can be read: it is nested too deeply.") from None


def _rows(found: Any) -> list[Any]:
    if isinstance(found, dict):
        instances = found.get("instances")
        found = instances if isinstance(instances, list) else [found]
    if not isinstance(found, list) or not all(isinstance(row, dict | list) for row in found[:1]):
        raise _bad('The JSON body must be an object, a list of objects or lists, or {"instances": […]}.')
    if not found:
        raise _bad("The body has no rows.")
    return found


def _mixed(rows: list[Any], kind: type, wanted: str) -> str:
    wrong = next(number for number, row in enumerate(rows, 1) if type(row) is not kind)
    return f"Row {wrong} is of another kind than row 1; it must be {wanted}."


def _named_cells(rows: list[dict[str, Any]], schema: Schema) -> list[tuple[Column, Cells]]:
    found: list[tuple[Column, Cells]] = []
    absent: list[str] = []
    for column in schema.columns:
        name = column.name
        try:
            found.append((column, [row[name] for row in rows]))
        except KeyError:
            found.append((column, [row.get(name) for row in rows]))
            if not any(name in row for row in rows):
                absent.append(name)
    if absent:
        raise _bad(f"The column {names(absent)} is missing; needed are {', '.join(schema.names)}.")
    return found


def _arrays(columns: Sequence[tuple[Column, Cells]], read: Callable[[Cells], Array | None]) -> list[Array]:
    """Convert each column; `read` is the quick way for numbers, and gives None where one has to look closer."""
    arrays: list[Array] = []
    problems: list[Problem] = []
    for column, cells in columns:
        array = _texts(column, cells) if column.type == "string" else _numbers(column, cells, read)
        if array is None:
            values = cells if read is _json_numbers else [None if cell in MISSING_TEXTS else cell for cell in cells]
            wrong = _wrong(column, values)
            problems += wrong
            if wrong:
                continue
            array = _slowly(column, values)
        arrays.append(array.reshape(-1, 1))
    if problems:
        raise _bad(_told(problems))
    return arrays


def _texts(column: Column, cells: Cells) -> Array | None:
    different = set(cells) if set(map(type, cells)) == {str} else {None}
    if not different.isdisjoint(MISSING_TEXTS) or not all(map(column.takes, different)) or None in different:
        return None
    return np.array(cells, dtype=object)


def _numbers(column: Column, cells: Cells, read: Callable[[Cells], Array | None]) -> Array | None:
    found = None if column.type == "boolean" else read(cells)
    if found is None or (column.type == "integer" and (found != np.floor(found))[~np.isnan(found)].any()):
        return None
    if not (np.abs(found) <= LARGEST).all() and not (column.missing and _only_missing(found, cells)):
        return None
    return found.astype(np.float32)


def _only_missing(found: Array, cells: Cells) -> bool:
    """Say whether what is no number is missing; `nAn` is missing to Python alone."""
    gone = [cells[place] for place in np.flatnonzero(np.isnan(found)).tolist()]
    plain = all(cell in MISSING_TEXTS for cell in gone if isinstance(cell, str))
    return plain and bool((~(np.abs(found) > LARGEST)).all())


def _csv_numbers(cells: Cells) -> Array | None:
    try:
        return np.array(list(map(float, cells)))
    except ValueError:
        return None


def _csv_odd_numbers(cells: Cells) -> Array | None:
    """`1_000` and the digits of other scripts are numbers to Python alone: look at each."""
    return _csv_numbers(cells) if all(cell.isascii() and "_" not in cell for cell in cells) else None


def _json_numbers(cells: Cells) -> Array | None:
    if not _NUMBERS.issuperset(map(type, cells)):
        return None
    try:
        return np.array(cells, dtype=np.float64)
    except OverflowError:
        return None


def _wrong(column: Column, values: Cells) -> list[Problem]:
    allowed = column.allowed()
    return [
        Problem(number, column.name, value, allowed)
        for number, value in enumerate(values, 1)
        if not column.takes(value)
    ]


def _slowly(column: Column, values: Cells) -> Array:
    """Convert values that the column takes."""
    if column.type == "string":
        return np.array(["" if value is None else value for value in values], dtype=object)
    if column.type == "boolean":
        return np.array([_TRUTHS[value] for value in values], dtype=np.float32)
    numbers = [as_number(value) for value in values]
    return np.array([math.nan if number is None else number for number in numbers], dtype=np.float32)


def _told(problems: Sequence[Problem]) -> str:
    shown = sorted(problems, key=lambda problem: problem.row)[:MOST_SHOWN]
    more = len(problems) - len(shown)
    return "; ".join(map(str, shown)) + (f"; and {more} more." if more else ".")


def _bad(message: str) -> RequestError:
    return RequestError(400, "BadRequest", message)
