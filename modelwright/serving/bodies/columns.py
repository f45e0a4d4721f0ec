"""Large bodies of CSV as one array a column: all rows of a column at once, by NumPy alone.

What is not plain is left to `rows.from_csv`, which takes ten times as long and tells what is wrong: `read` returns None
then. So both give the same arrays, and only one of them knows errors. Plain is: UTF-8, no quotes, no blank lines, lines
of one width, no value that the model does not take.

A body is read in pieces, so that the arrays of one stay in the processor's cache: four times as fast as all at once.
A cell is looked at as words of 8 bytes: https://lemire.me/blog/2022/01/21/swar-explained-parsing-eight-digits/
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from modelwright.serving.schema import FALSE, LARGEST, MISSING_TEXTS, TRUE, Column, as_number

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from modelwright.serving.schema import Schema

    Array = np.ndarray[Any, Any]

_WORD = 8
_LONGEST = 2 * _WORD
"""characters of a text that two words tell whole"""
_PIECE_BYTES = 1 << 18
_COMMA, _NEWLINE, _MINUS = 0x2C, 0x0A, 0x2D
_ZEROS = np.uint64(0x3030303030303030)
_DOTS = np.uint64(0x2E2E2E2E2E2E2E2E)
_ONES = np.uint64(0x0101010101010101)
_HIGH = np.uint64(0x8080808080808080)
_OVER_NINE = np.uint64(0x4646464646464646)
_PAIRS = np.uint64(0x000000FF000000FF)
_KEEP = np.array([(1 << (8 * n)) - 1 for n in range(_WORD + 1)], dtype=np.uint64)
"""the first n bytes of a word"""
_FILL = np.array([0x3030303030303030 & ((1 << (8 * (_WORD - n))) - 1) for n in range(_WORD + 1)], dtype=np.uint64)
"""zeros (the digit) in front of a number of n characters"""
_SHIFT = np.array([8 * (_WORD - max(n, 1)) for n in range(_WORD + 1)], dtype=np.uint64)
_TENS = 10.0 ** np.arange(_WORD + 1)
_MIX = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F), np.uint64(0x165667B19E3779F9))


@dataclass(frozen=True)
class Layout:
    """How the lines of a body are: `begin` is where the first row is, behind a header."""

    width: int
    places: tuple[int, ...]
    """where the schema's columns stand"""
    begin: int


def layout(body: bytes, schema: Schema) -> Layout | None:
    """Find out by the first line, as `rows.from_csv` does; None for a body that is not plain."""
    end = body.find(b"\n") + 1 or len(body)
    try:
        first = [cell.strip() for cell in body[:end].decode().split(",")]
    except UnicodeDecodeError:
        return None
    if not _is_plain(body) or (len(first) == 1 and schema.columns[0].type == "string"):  # a line of spaces is no row
        return None
    names = schema.names
    if set(first).isdisjoint(names):
        return Layout(len(names), tuple(range(len(names))), 0) if len(first) == len(names) else None
    if end == len(body) or any(first.count(name) != 1 for name in names):
        return None
    if len(first) > len(names) and not _is_text(body):  # nobody looks at the cells of other columns
        return None
    return Layout(len(first), tuple(map(first.index, names)), end)


def _is_plain(body: bytes) -> bool:
    if b'"' in body or body.startswith(b"\xef\xbb\xbf"):
        return False
    return b"\r" not in body or body.count(b"\r") == body.count(b"\r\n")  # alone it ends a line, too


def _is_text(body: bytes) -> bool:
    try:
        return body.isascii() or body.decode() is not None
    except UnicodeDecodeError:
        return False


def pieces(body: bytes, begin: int) -> Iterator[bytes]:
    """Yield whole lines of a body, some thousand at a time."""
    while begin < len(body):
        end = body.rfind(b"\n", begin, begin + _PIECE_BYTES) + 1 or body.find(b"\n", begin) + 1 or len(body)
        yield body[begin:end]
        begin = end


def read(piece: bytes, schema: Schema, found: Layout) -> list[Array] | None:
    """Return one array a column, `(n_rows, 1)`, as `rows.from_csv` would; None for lines that are not plain."""
    table = _table(piece.replace(b"\r\n", b"\n") if b"\r" in piece else piece, found.width)
    if table is None:
        return None
    arrays: list[Array] = []
    try:
        for column, place in zip(schema.columns, found.places, strict=True):
            array = _column(column, table.cells(place))
            if array is None:
                return None
            arrays.append(array.reshape(-1, 1))
    except UnicodeDecodeError:
        return None
    return arrays


@dataclass(frozen=True)
class _Cells:
    """One column: where each of its cells begins, and how many characters it has."""

    body: bytes
    """with `_LONGEST` bytes in front of it and behind it"""
    words: Array
    """the word at each place of the body"""
    starts: Array
    lengths: Array

    def text(self, row: int) -> str:
        """Return one cell."""
        start = int(self.starts[row])
        return self.body[start : start + int(self.lengths[row])].decode()


@dataclass(frozen=True)
class _Table:
    """Where the cells of a body are: `(n_rows, width)`."""

    body: bytes
    words: Array
    starts: Array
    lengths: Array

    def cells(self, place: int) -> _Cells:
        """Return a column."""
        starts, lengths = self.starts[:, place], self.lengths[:, place]
        return _Cells(self.body, self.words, np.ascontiguousarray(starts), np.ascontiguousarray(lengths))


def _table(body: bytes, width: int) -> _Table | None:
    """Find the cells; None when a line is not of this width."""
    padding = bytes(_LONGEST)
    body = b"".join((padding, body, padding if body.endswith(b"\n") else b"\n" + padding))
    characters = np.frombuffer(body, dtype=np.uint8)
    ends = np.flatnonzero((characters == _COMMA) | (characters == _NEWLINE))
    lines = body.count(b"\n")
    if len(ends) != lines * width:
        return None
    starts = np.empty_like(ends)
    starts[0] = _LONGEST
    np.add(ends[:-1], 1, out=starts[1:])
    lengths = (ends - starts).reshape(lines, width)
    last = ends.reshape(lines, width)[:, -1]
    if (characters[last] != _NEWLINE).any() or (width == 1 and not lengths.all()):
        return None
    words = np.ndarray(shape=(len(body) - _WORD + 1,), dtype="<u8", buffer=body, strides=(1,))
    return _Table(body, words, starts.reshape(lines, width), lengths)


def _column(column: Column, cells: _Cells) -> Array | None:
    if column.type == "string":
        return _texts(column, cells)
    if column.type == "boolean":
        values = dict.fromkeys(TRUE, 1.0) | dict.fromkeys(FALSE, 0.0)
        return _known(values, column, cells, np.dtype(np.float32))
    found = _numbers(column, cells)
    if found is None or (column.type == "integer" and (found != np.floor(found))[~np.isnan(found)].any()):
        return None
    return found.astype(np.float32)


def _numbers(column: Column, cells: _Cells) -> Array | None:
    """Read numbers of up to 8 characters all at once, others one by one."""
    starts, lengths = cells.starts, cells.lengths
    negative = cells.words[starts] & np.uint64(0xFF) == _MINUS
    signed = negative.any()
    if signed:
        starts, lengths = starts + negative, lengths - negative
    short = np.minimum(lengths, _WORD)
    digits = (cells.words[starts] << _SHIFT[short]) | _FILL[short]
    whole, fraction, plain = _parsed(digits)
    found = whole / _TENS[np.maximum(fraction, 0)]  # less than 2**53 by a power of ten: rounded as float() does
    if signed:
        np.negative(found, out=found, where=negative)
    odd = np.flatnonzero(~plain | (lengths > _WORD) | (lengths <= (fraction >= 0)))
    return found if not len(odd) or _one_by_one(column, cells, odd, found) else None


def _parsed(digits: Array) -> tuple[Array, Array, Array]:
    """Return of 8 characters each the number without its point, the digits behind it (-1: none), whether it is one."""
    marks = digits ^ _DOTS
    marks = (marks - _ONES) & ~marks & _HIGH
    marks &= ~marks + np.uint64(1)  # the first point: there must be no other
    before = (marks >> np.uint64(7)) - np.uint64(1)  # all bytes in front of it; all there are without one
    pointed = marks != 0
    behind = ~((marks << np.uint64(1)) - np.uint64(1))
    joined = np.where(pointed, (digits & behind) | ((digits & before) << np.uint64(8)) | np.uint64(0x30), digits)
    fraction = np.where(pointed, 7 - (np.bitwise_count(before) >> 3).astype(np.int8), np.int8(-1))
    plain = ((joined + _OVER_NINE) | (joined - _ZEROS)) & _HIGH == 0
    value = joined - _ZEROS
    value = value * np.uint64(10) + (value >> np.uint64(8))
    high = (value & _PAIRS) * np.uint64(0x000F424000000064)
    low = ((value >> np.uint64(16)) & _PAIRS) * np.uint64(0x0000271000000001)
    return (high + low) >> np.uint64(32), fraction, plain


def _one_by_one(column: Column, cells: _Cells, rows: Array, found: Array) -> bool:
    """Put what is not plain into `found`; False for a value that the model does not take."""
    for row in rows.tolist():
        text = cells.text(row)
        number = math.nan if text in MISSING_TEXTS else as_number(text)
        if number is None or (number != number and not column.missing) or abs(number) > LARGEST:  # noqa: PLR0124 - NaN
            return False
        found[row] = number
    return True


def _texts(column: Column, cells: _Cells) -> Array | None:
    return _known({text: text for text in column.categories}, column, cells, np.dtype(object))


def _known(values: Mapping[str, Any], column: Column, cells: _Cells, kind: np.dtype[Any]) -> Array | None:
    """Return the value of each cell's text; missing and unknown ones are looked at one by one."""
    texts = sorted(text for text in values if text not in MISSING_TEXTS)
    if not texts or any(len(text.encode()) > _LONGEST for text in texts):
        return None
    there, firsts, lasts = _texts_as_words(texts), *_as_words(cells)
    hashes = _hash(there[0], there[1], there[2])
    order = np.argsort(hashes)
    places = np.searchsorted(hashes[order], _hash(firsts, lasts, cells.lengths))
    places = order[np.minimum(places, len(texts) - 1)]
    same = (there[0][places] == firsts) & (there[1][places] == lasts) & (there[2][places] == cells.lengths)
    found = np.array([values[text] for text in texts], dtype=kind)[places]
    odd = np.flatnonzero(~same)
    return found if not len(odd) or _unknown(column, cells, odd, found) else None


def _as_words(cells: _Cells) -> tuple[Array, Array]:
    """Return the first 8 characters of each cell, and the last 8 of those that have more."""
    lengths = cells.lengths
    firsts = cells.words[cells.starts] & _KEEP[np.minimum(lengths, _WORD)]
    if lengths.max() <= _WORD:
        return firsts, np.zeros_like(firsts)
    lasts = cells.words[cells.starts + lengths - _WORD]
    lasts[lengths <= _WORD] = 0
    return firsts, lasts


def _texts_as_words(texts: list[str]) -> tuple[Array, Array, Array]:
    coded = [text.encode() for text in texts]
    firsts = [int.from_bytes(text[:_WORD], "little") for text in coded]
    lasts = [int.from_bytes(text[-_WORD:], "little") if len(text) > _WORD else 0 for text in coded]
    lengths = np.array([len(text) for text in coded], dtype=np.int64)
    return np.array(firsts, dtype=np.uint64), np.array(lasts, dtype=np.uint64), lengths


def _hash(firsts: Array, lasts: Array, lengths: Array) -> Array:
    return firsts * _MIX[0] + lasts * _MIX[1] + lengths.astype(np.uint64) * _MIX[2]


def _unknown(column: Column, cells: _Cells, rows: Array, found: Array) -> bool:
    for row in rows.tolist():
        text = cells.text(row)
        if text in MISSING_TEXTS:
            if not column.missing:
                return False
            found[row] = "" if column.type == "string" else math.nan
        elif column.type == "string" and column.unknown:
            found[row] = text
        else:
            return False
    return True
