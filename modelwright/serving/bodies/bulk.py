"""A compiled model's answer to a large body of CSV: piece by piece from text to text, no object made of a row."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from modelwright.serving.bodies import columns

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from modelwright.serving.schema import Outputs, Schema

    Array = np.ndarray[Any, Any]
    Predict = Callable[[Sequence[Array]], Array]

LEAST_BYTES = 1 << 14
"""of smaller bodies, `rows.from_csv` is as quick"""
_BETWEEN_ROWS = b"],["
_encode = msgspec.json.Encoder().encode


def predictions(body: bytes, schema: Schema, predict: Predict) -> list[Array] | None:
    """Return what `predict` says of the rows, an array a piece; None for a body that is not plain CSV."""
    found = columns.layout(body, schema)
    if found is None:
        return None
    answers: list[Array] = []
    for piece in columns.pieces(body, found.begin):
        arrays = columns.read(piece, schema, found)
        if arrays is None:
            return None
        answers.append(predict(arrays))
    return answers


class CsvWriter:
    """Writes `male,0.1,0.9`: the label and the probability of each class, as `answers` does."""

    def __init__(self, outputs: Outputs) -> None:
        """Write labels as CSV has them: quoted where they must be."""
        texts = [_quoted(label) for label in outputs.labels]
        self.can = outputs.form == "records" and not any(_BETWEEN_ROWS in text for text in texts)
        self._labels = [msgspec.Raw(text) for text in texts]

    def write(self, probabilities: Array) -> bytes | None:
        """Return the lines of `(n_rows, n_classes)`; None for numbers that JSON does not have."""
        if not np.isfinite(probabilities).all():
            return None
        labels = map(self._labels.__getitem__, probabilities.argmax(axis=1).tolist())
        rows = _encode(list(zip(labels, *probabilities.T.tolist(), strict=True)))
        return rows[2:-2].replace(_BETWEEN_ROWS, b"\n") + b"\n"


def _quoted(label: str | int) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow([label])
    return text.getvalue().encode()
