"""The short way of a compiled model: one row, read without a list of cells, into arrays that are used again.

What a reader here takes it reads as `rows` does; everything else it leaves to `rows`, which also tells what is wrong.
Nothing here may be called by two threads at once: the arrays are the event loop's.
"""

from __future__ import annotations

import csv
import io
from math import isnan, nan
from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING, Any

import msgspec

from modelwright.serving.bodies import typed
from modelwright.serving.http.media import CSV, JSON
from modelwright.serving.schema import FALSE, MISSING_TEXTS, TRUE, as_number

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from modelwright.serving.bodies.one_row import Feeds, OneRow
    from modelwright.serving.schema import Outputs

    Reader = Callable[[bytes], Feeds | None]
    Writer = Callable[[Sequence[float]], bytes | None]

_MOST_OBJECTS = 3
"""in the document of one row: with more there are more rows, which are not decoded in vain"""
_TRUTHS: dict[Any, float] = dict.fromkeys(TRUE, 1.0) | dict.fromkeys(FALSE, 0.0) | {True: 1.0, False: 0.0}


def csv_reader(row: OneRow) -> Reader | None:
    """Return what reads a line of CSV without a header; None when a value could be taken for a column's name."""
    schema = row.schema
    if any(as_number(name) is not None or name in _TRUTHS for name in schema.names):
        return None
    kinds = [column.type for column in schema.columns]
    texts_of = _picker(itemgetter, [at for at, kind in enumerate(kinds) if kind == "string"])
    numbers_of = _picker(itemgetter, [at for at, kind in enumerate(kinds) if kind != "string"])
    truths = [at for at, kind in enumerate(kinds) if kind == "boolean"]
    width, fill, kept = len(kinds), row.fill, row.texts(csv=True)

    def read(body: bytes) -> Feeds | None:
        line, _, rest = body.partition(b"\n")
        if rest or b"\r" in line:
            return None
        try:
            cells: list[Any] = str(line, "ascii").split(",")
            if len(cells) != width:
                return None
            for at in truths:
                cells[at] = _TRUTHS[cells[at]]
            found = numbers_of(cells)
            if b"_" in line and any("_" in str(cell) for cell in found):
                return None  # `1_000` is a number to Python alone
            return fill(kept, texts_of(cells), _values(found, width), found)
        except (ValueError, KeyError):
            return None

    return read


def _values(cells: Sequence[str | float], width: int) -> tuple[float, ...]:
    """Return numbers; ValueError for another text than one that stands for a missing value."""
    try:
        return tuple(map(float, cells))
    except ValueError:
        if width == 1:  # a blank line is no row
            raise
        return tuple([nan if cell in MISSING_TEXTS else float(cell) for cell in cells])


def json_reader(row: OneRow) -> Reader | None:
    """Return what reads one object, alone, in a list, or as `{"instances": [{…}]}`; None for odd columns' names."""
    columns = row.schema.columns
    decode = typed.decoder(row.schema)
    if decode is None:
        return None
    names = typed.fields(len(columns))
    texts_of = _picker(attrgetter, [name for name, c in zip(names, columns, strict=True) if c.type == "string"])
    numbers_of = _picker(attrgetter, [name for name, c in zip(names, columns, strict=True) if c.type != "string"])
    fill, kept = row.fill, row.texts(csv=False)

    def read(body: bytes) -> Feeds | None:
        if not body.isascii() or body.count(b"{") > _MOST_OBJECTS:
            return None
        rows = decode(body)
        if not rows or len(rows) > 1:
            return None
        values = numbers_of(rows[0])
        if None in values:
            values = tuple([nan if value is None else value for value in values])
        return fill(kept, texts_of(rows[0]), values)

    return read


def writer(outputs: Outputs, accept: str) -> Writer | None:
    """Return what writes the probabilities of one row, as `answers.writer` does; None for other forms, odd names."""
    if outputs.form != "records" or accept not in (JSON, CSV):
        return None
    return _json_record(outputs) if accept == JSON else _csv_record(outputs)


def _json_record(outputs: Outputs) -> Writer | None:
    probabilities = typed.struct([str(label) for label in outputs.labels], [float] * len(outputs.labels))
    if probabilities is None:
        return None
    encode = msgspec.json.Encoder().encode
    keys = [encode(key) for key in ("predictions", outputs.label, outputs.probabilities)]
    begins = [b"{%b:[{%b:%b,%b:" % (*keys[:2], encode(label), keys[2]) for label in outputs.labels]

    def write(row: Sequence[float]) -> bytes | None:
        if isnan(sum(row)):  # which is the largest is for NumPy to say
            return None
        return begins[row.index(max(row))] + encode(probabilities(*row)) + b"}]}"

    return write


def _csv_record(outputs: Outputs) -> Writer:
    begins = [_cell(label) for label in outputs.labels]

    def write(row: Sequence[float]) -> bytes | None:
        if isnan(sum(row)):
            return None
        return f"{begins[row.index(max(row))]},{','.join(map(repr, row))}\n".encode()

    return write


def _cell(value: object) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow([value])
    return text.getvalue()


def _picker(getter: Callable[..., Any], places: Sequence[Any]) -> Callable[[Any], Sequence[Any]]:
    if len(places) > 1:
        found: Callable[[Any], Sequence[Any]] = getter(*places)
        return found
    if not places:
        return lambda _: ()
    one = getter(places[0])
    return lambda row: (one(row),)
