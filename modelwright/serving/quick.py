"""The short way of a compiled model: one row, read without a list of cells, into arrays that are used again.

What a reader here takes it reads as `rows` does; everything else it leaves to `rows`, which also tells what is wrong.
Nothing here may be called by two threads at once: the arrays are the event loop's.
"""

from __future__ import annotations

import csv
import io
from math import hypot
from operator import attrgetter, itemgetter
from struct import error as struct_error
from struct import pack_into
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from modelwright.serving import typed
from modelwright.serving.media import CSV, JSON
from modelwright.serving.schema import FALSE, LARGEST, MISSING_TEXTS, TRUE, as_number

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from modelwright.serving.schema import Column, Outputs, Schema

    Feeds = dict[str, np.ndarray[Any, Any]]
    Reader = Callable[[bytes], Feeds | None]
    Writer = Callable[[Sequence[float]], bytes]

_MOST_OBJECTS = 3
"""in the document of one row: with more there are more rows, which are not decoded in vain"""
_TRUTHS: dict[Any, float] = dict.fromkeys(TRUE, 1.0) | dict.fromkeys(FALSE, 0.0) | {True: 1.0, False: 0.0}


class OneRow:
    """One row as ONNX Runtime takes it: `(1, 1)` for each column, numbers in one buffer, known texts ready made."""

    def __init__(self, schema: Schema) -> None:
        """Lay out the row."""
        self.schema = schema
        numbers = [column for column in schema.columns if column.type != "string"]
        self._buffer: Any = np.zeros(len(numbers), np.float32)
        self._layout = f"{len(numbers)}f"
        self._feeds: Feeds = {c.name: self._buffer[at : at + 1].reshape(1, 1) for at, c in enumerate(numbers)}
        strings = [column for column in schema.columns if column.type == "string"]
        self._strings = [(column.name, _ready(column, schema)) for column in strings]
        self._whole = [at for at, column in enumerate(numbers) if column.type == "integer"]

    def fill(self, texts: Sequence[str], values: Sequence[float]) -> Feeds | None:
        """Put in a row; None for what has to be looked at: another text, an infinity, NaN, a fraction in a count."""
        if not hypot(*values) <= LARGEST:
            return None
        feeds = self._feeds
        for (name, known), text in zip(self._strings, texts, strict=True):
            array = known.get(text)
            if array is None:
                return None
            feeds[name] = array
        for at in self._whole:
            if values[at] % 1:
                return None
        try:
            pack_into(self._layout, self._buffer, 0, *values)
        except (OverflowError, struct_error):
            return None
        return feeds


def csv_reader(row: OneRow) -> Reader | None:
    """Return what reads a line of CSV without a header; None when a value could be taken for a column's name."""
    schema = row.schema
    if any(as_number(name) is not None or name in _TRUTHS for name in schema.names):
        return None
    kinds = [column.type for column in schema.columns]
    texts_of = _picker(itemgetter, [at for at, kind in enumerate(kinds) if kind == "string"])
    numbers_of = _picker(itemgetter, [at for at, kind in enumerate(kinds) if kind != "string"])
    number = float if "boolean" not in kinds else None
    truths = [at for at, kind in enumerate(kinds) if kind == "boolean"]
    width, fill = len(kinds), row.fill

    def read(body: bytes) -> Feeds | None:
        line, _, rest = body.partition(b"\n")
        if rest or b"\r" in line:
            return None
        try:
            cells: list[Any] = str(line, "ascii").split(",")
            if len(cells) != width:
                return None
            if number is None:
                for at in truths:
                    cells[at] = _TRUTHS[cells[at]]
            found = numbers_of(cells)
            if b"_" in line and any("_" in str(cell) for cell in found):
                return None  # `1_000` is a number to Python alone
            return fill(texts_of(cells), tuple(map(float, found)))
        except (ValueError, KeyError):
            return None

    return read


def json_reader(row: OneRow) -> Reader | None:
    """Return what reads one object, alone, in a list, or as `{"instances": [{…}]}`; None for odd columns' names."""
    columns = row.schema.columns
    decode = typed.decoder(row.schema, missing=False)
    if decode is None:
        return None
    names = typed.fields(len(columns))
    texts_of = _picker(attrgetter, [name for name, c in zip(names, columns, strict=True) if c.type == "string"])
    numbers_of = _picker(attrgetter, [name for name, c in zip(names, columns, strict=True) if c.type != "string"])
    fill = row.fill

    def read(body: bytes) -> Feeds | None:
        if not body.isascii() or body.count(b"{") > _MOST_OBJECTS:
            return None
        rows = decode(body)
        return fill(texts_of(rows[0]), numbers_of(rows[0])) if rows and len(rows) == 1 else None

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

    def write(row: Sequence[float]) -> bytes:
        return begins[row.index(max(row))] + encode(probabilities(*row)) + b"}]}"

    return write


def _csv_record(outputs: Outputs) -> Writer:
    begins = [_cell(label) for label in outputs.labels]

    def write(row: Sequence[float]) -> bytes:
        return f"{begins[row.index(max(row))]},{','.join(map(repr, row))}\n".encode()

    return write


def _cell(value: object) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow([value])
    return text.getvalue()


def _ready(column: Column, schema: Schema) -> dict[str, np.ndarray[Any, Any]]:
    """Return the array of each text that is nothing but that text, wherever it stands."""
    odd = MISSING_TEXTS | set(schema.names)
    texts = [text for text in column.categories if text.strip() not in odd and not set(text) & set(',"\r\n')]
    return {text: np.array([[text]], dtype=object) for text in texts}


def _picker(getter: Callable[..., Any], places: Sequence[Any]) -> Callable[[Any], Sequence[Any]]:
    if len(places) > 1:
        found: Callable[[Any], Sequence[Any]] = getter(*places)
        return found
    if not places:
        return lambda _: ()
    one = getter(places[0])
    return lambda row: (one(row),)
