"""Answer which sex penguins have: the functions that SageMaker's model server calls.

CSV rows with a header may have more columns than are needed, in any order; without a header they have the columns of
`train.py`, in its order. JSON is one object, a list of objects, or `{"instances": [...]}`. A missing measurement is
allowed; a missing column is not.
"""

from __future__ import annotations

import csv
import io
import json
import math
from pathlib import Path
from typing import Any

import joblib
import pandas as pd

CATEGORIES = ["species", "island"]  # as in train.py
MEASUREMENTS = ["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g"]
COLUMNS = [*CATEGORIES, *MEASUREMENTS]
MISSING = frozenset(
    {"", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>"}
    | {"N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"}
)  # what pandas takes for missing in a CSV

CONTENT_TYPES = ("text/csv", "application/json")  # the server answers 415 to others
ACCEPT_TYPES = ("application/json", "text/csv")  # and 406
BATCH = True  # predict_fn gives one prediction a row: requests that come together may be one call


def model_fn(model_dir: str) -> dict[str, Any]:
    """Return what `train.py` wrote into `model.joblib`."""
    return joblib.load(Path(model_dir) / "model.joblib")


def input_fn(body: str | bytes, content_type: str) -> list[dict[str, Any]]:
    """Return the rows of a request, each with the columns of `COLUMNS`; raises ValueError that says what is wrong."""
    text = body.decode("utf-8-sig") if isinstance(body, bytes) else body.removeprefix("\ufeff")
    kind = content_type.split(";", maxsplit=1)[0].strip().lower()
    if kind == "text/csv":
        rows = from_csv(text)
    elif kind == "application/json":
        rows = from_json(text)
    else:
        raise ValueError(f"the content type is {content_type!r}; it must be text/csv or application/json")
    if not rows:
        raise ValueError("the request has no rows")
    return [checked(row) for row in rows]


def from_csv(text: str) -> list[dict[str, Any]]:
    """Return CSV's lines as rows. The first is a header when it has the name of a column."""
    lines = [[cell.strip() for cell in line] for line in csv.reader(io.StringIO(text, newline=""), strict=True) if line]
    has_header = bool(lines) and not set(COLUMNS).isdisjoint(lines[0])
    names = lines.pop(0) if has_header else COLUMNS
    for line in lines:
        if len(line) != len(names):
            kind = "with this" if has_header else "without a"
            raise ValueError(f"a row {kind} header has {len(line)} values; it must have {', '.join(names)}")
    require(names)
    return [dict(zip(names, (None if cell in MISSING else cell for cell in line), strict=True)) for line in lines]


def from_json(text: str) -> list[dict[str, Any]]:
    """Return the rows of a JSON document."""
    found = json.loads(text, parse_constant=refuse)
    if isinstance(found, dict):
        found = found["instances"] if isinstance(found.get("instances"), list) else [found]
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise ValueError('JSON must be an object, a list of objects, or {"instances": [...]}')
    for row in found:
        require(row)
    return found


def refuse(name: str) -> None:
    """Say that NaN and Infinity are not JSON."""
    raise ValueError(f"JSON has no {name}; send null for what is missing")


def require(names: Any) -> None:
    """Raise ValueError that names the columns which are not among `names`."""
    missing = [column for column in COLUMNS if column not in names]
    if missing:
        raise ValueError(f"the column {', '.join(missing)} is missing; needed are {', '.join(COLUMNS)}")


def checked(row: dict[str, Any]) -> dict[str, Any]:
    """Return the model's columns: texts (None where missing) and numbers (NaN where missing)."""
    found = {column: row[column] for column in CATEGORIES}
    wrong = [column for column, value in found.items() if not isinstance(value, str | None)]
    if wrong:
        raise ValueError(f"{wrong[0]} is {found[wrong[0]]!r}; it must be a text")
    return found | {column: number(column, row[column]) for column in MEASUREMENTS}


def number(column: str, value: Any) -> float:
    """Return a measurement; raises ValueError that names the column when it is no number."""
    if value is None:
        return math.nan
    try:
        found = float(value)
    except (TypeError, ValueError):
        found = math.inf
    if isinstance(value, bool) or not math.isfinite(found) or "_" in str(value):  # Python reads 1_000, too
        raise ValueError(f"{column} is {value!r}; it must be a number")
    return found


def predict_fn(rows: list[dict[str, Any]], learnt: dict[str, Any]) -> list[dict[str, Any]]:
    """Return for each row the likelier sex and the probability of each: (n_rows,) dicts."""
    names = learnt["classes"]
    features = pd.DataFrame(rows, columns=learnt["categories"] + learnt["measurements"])
    probabilities = learnt["model"].predict_proba(features)  # (n_rows, n_classes)
    return [
        {"sex": names[best], "probability": dict(zip(names, row, strict=True))}
        for best, row in zip(probabilities.argmax(axis=1).tolist(), probabilities.tolist(), strict=True)
    ]


def output_fn(prediction: list[dict[str, Any]], accept: str) -> tuple[str, str]:
    """Return the answer and its content type: JSON, or CSV of `sex,<probability of each class>` without a header."""
    if "text/csv" in accept:
        rows = [[row["sex"], *row["probability"].values()] for row in prediction]
        return "\n".join(",".join(map(str, row)) for row in rows) + "\n", "text/csv"
    return json.dumps({"predictions": prediction}), "application/json"
