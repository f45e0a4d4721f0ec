"""Predictions as bodies: the JSON and the CSV of the schema's form, as the model's own script writes them."""

from __future__ import annotations

import csv
import io
from itertools import starmap
from typing import TYPE_CHECKING, Any

import msgspec

from modelwright.serving.bodies import typed
from modelwright.serving.http.media import CSV, JSON

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from modelwright.serving.schema import Label, Outputs

    Writer = Callable[[Sequence[Label], Sequence[Sequence[float]]], bytes]

TYPES = (JSON, CSV)


def writer(outputs: Outputs, accept: str) -> Writer:
    """Return what writes labels, and the probabilities of each row in the order of the classes, in one of `TYPES`."""
    writers: dict[tuple[str, str], Callable[[Outputs], Writer]] = {
        ("records", JSON): _json_records,
        ("records", CSV): _csv_records,
        ("labels", JSON): _json_labels,
        ("labels", CSV): _csv_labels,
    }
    return writers[outputs.form, accept](outputs)


def _json_records(outputs: Outputs) -> Writer:
    """`{"predictions": [{"sex": "male", "probability": {"female": 0.1, "male": 0.9}}]}`."""
    classes = tuple(map(str, outputs.labels))
    row = typed.struct([outputs.label, outputs.probabilities], [Any, Any])
    chances = typed.struct(classes, [float] * len(classes))
    if row is None or chances is None:
        return _json_dicts(outputs)

    def write(labels: Sequence[Label], probabilities: Sequence[Sequence[float]]) -> bytes:
        return msgspec.json.encode({"predictions": list(map(row, labels, starmap(chances, probabilities)))})

    return write


def _json_dicts(outputs: Outputs) -> Writer:
    """Return the same for names that no field can have."""
    classes = tuple(map(str, outputs.labels))
    label_key, key = outputs.label, outputs.probabilities

    def write(labels: Sequence[Label], probabilities: Sequence[Sequence[float]]) -> bytes:
        rows: list[dict[str, Any]] = [
            {label_key: label, key: dict(zip(classes, row, strict=True))}
            for label, row in zip(labels, probabilities, strict=True)
        ]
        return msgspec.json.encode({"predictions": rows})

    return write


def _csv_records(_: Outputs) -> Writer:
    """`male,0.1,0.9`: the label and the probability of each class, without a header."""

    def write(labels: Sequence[Label], probabilities: Sequence[Sequence[float]]) -> bytes:
        rows = zip(labels, probabilities, strict=True)
        return _lines([[label, *row] for label, row in rows])

    return write


def _json_labels(_: Outputs) -> Writer:
    return lambda labels, _: msgspec.json.encode(list(labels))


def _csv_labels(_: Outputs) -> Writer:
    return lambda labels, _: _lines([[label] for label in labels])


def _lines(rows: list[list[Any]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()
