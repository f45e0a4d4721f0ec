"""Whether the compiled model answers as the Python one: its numbers, and the bodies that a client gets."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

from modelwright.serving.compiled.conversion import Refused, probes
from modelwright.serving.http import media
from modelwright.serving.model import Request
from modelwright.serving.problems import RequestError
from modelwright.serving.schema import Outputs, Schema

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from modelwright.serving.compiled.model import OnnxModel
    from modelwright.serving.model import Model

    Bodies = Mapping[str, Sequence[bytes]]

LARGEST_DIFFERENCE = 1e-5
"""of a probability: ONNX Runtime computes in 32 bits"""
_SHOWN = 300


def ask(model: Model, body: bytes, content_type: str, accept: str) -> bytes:
    """Return the model's answer to a request; RequestError when it is an error."""
    return model.run(model.prepare(Request(body, {"content-type": content_type, "accept": accept}))).body


def answer_form(python: Model, model: Any, frame: Any, bodies: Bodies) -> Outputs:
    """Return the form of the script's JSON answers, found by asking it; Refused when it is none that we write."""
    try:
        text = ask(python, bodies[media.JSON][0], media.JSON, media.JSON)
        answer = json.loads(text)
    except (RequestError, ValueError) as error:
        raise Refused(f"The script does not answer the hold-out as JSON with JSON: {error}") from error
    labels = tuple(model.classes_.tolist())
    if not all(isinstance(label, str | int) for label in labels):
        raise Refused(f"The classes are {labels!r}; only texts and whole numbers have a JSON form.")
    if answer == model.predict(frame).tolist():
        return Outputs(labels, "labels")
    rows = answer.get("predictions") if isinstance(answer, dict) and len(answer) == 1 else None
    keys = _keys(rows[0], labels) if isinstance(rows, list) and rows else None
    if keys is None or not hasattr(model, "predict_proba"):
        raise Refused(
            'The script\'s answers are of a form that the compiled path does not write: {"predictions": [{<label>: …, '
            f"<probabilities>: {{<class>: …}}}}]}} or a list of labels; found {text[:_SHOWN].decode(errors='replace')}."
        )
    return Outputs(labels, "records", *keys)


def _keys(row: Any, labels: Sequence[Any]) -> tuple[str, str] | None:
    if not isinstance(row, dict) or len(row) != 2:
        return None
    (first, label), (second, probabilities) = row.items()
    names = [str(name) for name in labels]
    is_known = label in labels and isinstance(probabilities, dict) and list(probabilities) == names
    return (first, second) if is_known else None


def estimators_differ(model: Any, compiled: OnnxModel, schema: Schema, frame: Any) -> float:
    """Return the largest difference of a probability on the hold-out, also with missing and unseen values in it."""
    largest = 0.0
    for where, rows in probes(schema.columns, frame):
        labels, found = compiled.predict(arrays(rows, schema))
        if schema.outputs.form == "labels":
            _check_labels(model.predict(rows).tolist(), labels, where)
            continue
        wanted = model.predict_proba(rows)
        largest = max(largest, float(abs(wanted - found).max()))
        _check(largest, where)
        _check_labels([schema.outputs.labels[place] for place in wanted.argmax(axis=1)], labels, where)
    return largest


def arrays(rows: Any, schema: Schema) -> list[Any]:
    """Return rows of a frame as what the compiled model takes: one array (n_rows, 1) a column."""
    found = []
    for column in schema.columns:
        values = rows[column.name]
        if column.type == "string":
            array = values.astype(object).where(values.notna(), "").to_numpy(dtype=object)
        else:
            array = values.to_numpy(dtype="float32", na_value=float("nan"))
        found.append(array.reshape(-1, 1))
    return found


def answers_differ(python: Model, compiled: Model, bodies: Bodies) -> float:
    """Return the largest difference of a number in the two models' answers, CSV and JSON in and out; else equal."""
    largest = 0.0
    for content_type, requests in bodies.items():
        for accept, read in ((media.JSON, json.loads), (media.CSV, _from_csv)):
            for body in requests:
                wanted = _wanted(python, body, content_type, accept)
                if wanted is not None:
                    found = read(ask(compiled, body, content_type, accept))
                    largest = max(largest, _difference(read(wanted), found))
                    _check(largest, f"the answers in {accept}")
    return largest


def _wanted(python: Model, body: bytes, content_type: str, accept: str) -> bytes | None:
    """Return the script's answer; None for a type that it does not take or give, which the compiled model may."""
    try:
        return ask(python, body, content_type, accept)
    except RequestError as error:
        if error.status in (406, 415):
            return None
        raise Refused(f"The script does not answer the hold-out as {content_type}: {error}") from error


def _from_csv(body: bytes) -> list[list[Any]]:
    return [[_number(cell) for cell in row] for row in csv.reader(io.StringIO(body.decode()))]


def _number(text: str) -> Any:
    try:
        return float(text)
    except ValueError:
        return text


def _difference(wanted: Any, found: Any) -> float:
    """Return the largest difference of two documents' numbers; Refused where anything else differs."""
    if isinstance(wanted, float) and isinstance(found, int | float):
        return abs(wanted - found)
    if isinstance(wanted, dict) and isinstance(found, dict) and list(wanted) == list(found):
        return max((_difference(value, found[key]) for key, value in wanted.items()), default=0.0)
    if isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        return max(map(_difference, wanted, found), default=0.0)
    if wanted == found and type(wanted) is type(found):
        return 0.0
    raise Refused(f"The compiled model answers otherwise: {str(wanted)[:_SHOWN]} became {str(found)[:_SHOWN]}.")


def _check(difference: float, where: str) -> None:
    if not difference <= LARGEST_DIFFERENCE:
        raise Refused(
            f"The compiled model's probabilities differ by {difference:.3g} in {where}; at most {LARGEST_DIFFERENCE:g} "
            "is allowed."
        )


def _check_labels(wanted: Sequence[Any], found: Sequence[Any], where: str) -> None:
    wrong = [number for number, (left, right) in enumerate(zip(wanted, found, strict=True), 1) if left != right]
    if wrong:
        row = wrong[0]
        raise Refused(
            f"The compiled model has other labels in {where}, {len(wrong)} of {len(wanted)}: in row {row} it says "
            f"{found[row - 1]!r}, not {wanted[row - 1]!r}."
        )
