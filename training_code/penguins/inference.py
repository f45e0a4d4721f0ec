"""Answer which sex penguins have: the functions that SageMaker's model server calls.

CSV rows with a header may have more columns than are needed, in any order; without a header they have the columns of
`train.py`, in its order. JSON is one object, a list of objects, or `{"instances": [...]}`. A missing measurement is
allowed; a missing column is not.
"""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import joblib
import pandas as pd

CONTENT_TYPES = ("text/csv", "application/json")  # the server answers 415 to others
ACCEPT_TYPES = ("application/json", "text/csv")  # and 406


def model_fn(model_dir: str) -> dict[str, Any]:
    """Return what `train.py` wrote into `model.joblib`."""
    return joblib.load(Path(model_dir) / "model.joblib")


def input_fn(body: str | bytes, content_type: str) -> pd.DataFrame:
    """Return the rows of a request; raises ValueError that says what is wrong with it."""
    text = body.decode("utf-8-sig") if isinstance(body, bytes) else body.removeprefix("\ufeff")
    kind = content_type.split(";", maxsplit=1)[0].strip().lower()
    if kind == "text/csv":
        rows = from_csv(text)
    elif kind == "application/json":
        rows = from_json(text)
    else:
        raise ValueError(f"the content type is {content_type!r}; it must be text/csv or application/json")
    return rows


def from_csv(text: str) -> pd.DataFrame:
    """Return CSV's lines as rows of texts whose columns are numbers: `named` finds out whether there is a header."""
    try:
        return pd.read_csv(io.StringIO(text), header=None, dtype=str)
    except pd.errors.EmptyDataError:
        raise ValueError("the request has no rows") from None


def from_json(text: str) -> pd.DataFrame:
    """Return the rows of a JSON document."""
    found = json.loads(text)
    if isinstance(found, dict):
        found = found["instances"] if isinstance(found.get("instances"), list) else [found]
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise ValueError('JSON must be an object, a list of objects, or {"instances": [...]}')
    if not found:
        raise ValueError("the request has no rows")
    return pd.DataFrame(found)


def predict_fn(rows: pd.DataFrame, learnt: dict[str, Any]) -> list[dict[str, Any]]:
    """Return for each row the likelier sex and the probability of each: (n_rows,) dicts."""
    features = select(rows, learnt["categories"], learnt["measurements"])
    probabilities = learnt["model"].predict_proba(features)  # (n_rows, n_classes)
    return [
        {
            "sex": learnt["classes"][int(row.argmax())],
            "probability": {name: float(value) for name, value in zip(learnt["classes"], row, strict=True)},
        }
        for row in probabilities
    ]


def select(rows: pd.DataFrame, categories: list[str], measurements: list[str]) -> pd.DataFrame:
    """Return the model's columns; raises ValueError that names a missing column or a text among the measurements."""
    columns = categories + measurements
    rows = named(rows, columns)
    missing = [column for column in columns if column not in rows.columns]
    if missing:
        raise ValueError(f"the column {', '.join(missing)} is missing; needed are {', '.join(columns)}")
    if not len(rows):
        raise ValueError("the request has no rows")
    features = rows[columns].copy()
    for column in measurements:
        features[column] = pd.to_numeric(features[column], errors="coerce")
        wrong = rows[column][features[column].isna() & rows[column].notna()]
        if len(wrong):
            raise ValueError(f"{column} is {wrong.iloc[0]!r}; it must be a number")
    return features


def named(rows: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Return rows with named columns: CSV's first line is a header when it has the name of one of `columns`."""
    if not all(isinstance(name, int) for name in rows.columns):
        return rows
    first = [str(value).strip() for value in rows.iloc[0]] if len(rows) else []
    if set(first) & set(columns):
        return rows.iloc[1:].set_axis(first, axis=1)
    if len(rows.columns) != len(columns):
        raise ValueError(f"a row without a header has {len(rows.columns)} values; it must have {', '.join(columns)}")
    return rows.set_axis(columns, axis=1)


def output_fn(prediction: list[dict[str, Any]], accept: str) -> tuple[str, str]:
    """Return the answer and its content type: JSON, or CSV of `sex,<probability of each class>` without a header."""
    if "text/csv" in accept:
        rows = [[row["sex"], *row["probability"].values()] for row in prediction]
        return "\n".join(",".join(map(str, row)) for row in rows) + "\n", "text/csv"
    return json.dumps({"predictions": prediction}), "application/json"
