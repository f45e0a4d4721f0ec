"""Columns in another order than the model's: by AWS's filter where that is beyond doubt, else written anew."""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_LONGEST_FILTER = 63
"""https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DataProcessing.html"""
_BLOCK_LINES = 10_000


def choose(header: Sequence[str], columns: Sequence[str]) -> tuple[str, tuple[int, ...] | None]:
    """Return the InputFilter that gives the model its columns, and how those of a file are to be put before, if at all.

    No page says whether `$[2,0]` keeps that order or the record's: a wrong guess would be wrong answers. So columns in
    another order are moved before they are uploaded: the model's first, the others behind.
    """
    places = [header.index(name) for name in columns]
    if places == list(range(len(header))):
        return "$", None
    named = f"$[{','.join(map(str, places))}]"
    if places == sorted(places) and len(named) <= _LONGEST_FILTER:
        return named, None
    others = [place for place in range(len(header)) if place not in set(places)]
    return (f"$[:{len(places)}]" if others else "$"), (*places, *others)


def chosen(input_filter: str, cells: Sequence[str]) -> list[str]:
    """Return what a filter of `choose` gives the model of a record; IndexError when it has too few values."""
    first = re.fullmatch(r"\$\[:(\d+)\]", input_filter)
    if first:
        return list(cells[: int(first[1])])
    places = re.findall(r"\d+", input_filter)
    return [cells[int(place)] for place in places] if places else list(cells)


def moved(source: BinaryIO, order: Sequence[int]) -> Iterator[bytes]:
    """Yield the lines of an open file with their columns in this order; a line of another width stays as it is."""
    text = io.TextIOWrapper(source, encoding="utf-8", errors="surrogateescape", newline="")
    written = io.StringIO(newline="")
    writer = csv.writer(written, lineterminator="\n")
    for number, row in enumerate(csv.reader(text), 1):
        writer.writerow([row[place] for place in order] if len(row) == len(order) else row)
        if number % _BLOCK_LINES == 0:
            yield written.getvalue().encode("utf-8", "surrogateescape")
            written.seek(0)
            written.truncate()
    yield written.getvalue().encode("utf-8", "surrogateescape")
