"""One row of a request as ONNX Runtime takes it, in arrays that are used again. They belong to one thread."""

from __future__ import annotations

from math import hypot, isnan
from struct import Struct
from struct import error as struct_error
from typing import TYPE_CHECKING, Any

import numpy as np

from modelwright.serving.schema import LARGEST, MISSING_TEXTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelwright.serving.schema import Column, Schema

    Array = np.ndarray[Any, Any]
    Feeds = dict[str, Array]


class OneRow:
    """One row as ONNX Runtime takes it: `(1, 1)` for each column, numbers in one buffer, known texts ready made."""

    def __init__(self, schema: Schema) -> None:
        """Lay out the row."""
        self.schema = schema
        numbers = [column for column in schema.columns if column.type != "string"]
        self._buffer: Any = np.zeros(len(numbers), np.float32)
        self._pack = Struct(f"{len(numbers)}f").pack_into
        self._feeds: Feeds = {c.name: self._buffer[at : at + 1].reshape(1, 1) for at, c in enumerate(numbers)}
        self._whole = [at for at, column in enumerate(numbers) if column.type == "integer"]
        self._missing = [column.missing for column in numbers]

    def texts(self, *, csv: bool) -> list[Texts]:
        """Return the columns of texts."""
        return [Texts(column, self.schema, csv=csv) for column in self.schema.columns if column.type == "string"]

    def fill(
        self, kept: Sequence[Texts], texts: Sequence[Any], values: Sequence[float], cells: Sequence[Any] = ()
    ) -> Feeds | None:
        """Put in a row; None for what has to be looked at: an odd text, an infinity, a fraction in a count.

        `cells`: what a CSV had for the values.
        """
        if not hypot(*values) <= LARGEST and not self._only_missing(values, cells):
            return None
        feeds = self._feeds
        for known, text in zip(kept, texts, strict=True):
            array = known[text]
            if array is None:
                return None
            feeds[known.name] = array
        for at in self._whole:
            if values[at] % 1:
                return None
        try:
            self._pack(self._buffer, 0, *values)
        except (OverflowError, struct_error):
            return None
        return feeds

    def _only_missing(self, values: Sequence[float], cells: Sequence[Any]) -> bool:
        """Say whether what is no number is missing where it may be."""
        if any(isnan(value) and cell not in MISSING_TEXTS for value, cell in zip(values, cells, strict=False)):
            return False
        pairs = zip(values, self._missing, strict=True)
        return all(abs(value) <= LARGEST or (isnan(value) and missing) for value, missing in pairs)


class Texts(dict[Any, "Array | None"]):
    """The arrays of a column's texts: those that training saw, what a missing one is, and others when they come.

    None for a text that the long way has to look at: one that is not known, or could be a header, blank or quoted.
    """

    def __init__(self, column: Column, schema: Schema, *, csv: bool) -> None:
        """Know what `csv`, or else JSON, has in this column."""
        self.name = column.name
        self._unknown, self._csv, self._names = column.unknown, csv, frozenset(schema.names)
        self._alone = len(schema.columns) == 1
        found: dict[Any, Array | None] = {
            text: _one(text) for text in column.categories if not (csv and self._odd(text))
        }
        if column.missing:
            gone: list[Any] = [text for text in MISSING_TEXTS if not self._odd(text)] if csv else [None]
            found |= dict.fromkeys(gone, _one(""))
        elif csv:
            found = {text: array for text, array in found.items() if text not in MISSING_TEXTS}
        super().__init__(found)

    def __missing__(self, text: Any) -> Array | None:
        """Return the array of a text that training did not see."""
        if not self._unknown or not isinstance(text, str) or (self._csv and (text in MISSING_TEXTS or self._odd(text))):
            return None
        return _one(text)

    def _odd(self, text: str) -> bool:
        plain = text.strip()
        return plain in self._names or '"' in text or (self._alone and not plain)


def _one(text: str) -> Array:
    return np.array([[text]], dtype=object)
