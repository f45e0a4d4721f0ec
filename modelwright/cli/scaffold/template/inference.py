"""Answer which rent flats have: the functions that SageMaker's model server calls.

CSV has a header; more columns than are needed do no harm. JSON is one object or a list of objects.
"""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import joblib
import pandas as pd

BATCH = True  # predict_fn gives one answer a row: requests that come together may be one call (docs/inference.md)


def model_fn(model_dir: str) -> dict[str, Any]:
    """Return what `train.py` wrote into `model.joblib`."""
    return joblib.load(Path(model_dir) / "model.joblib")


def input_fn(body: str | bytes, content_type: str) -> pd.DataFrame:
    """Return the rows of a request; raises ValueError that says what is wrong with it."""
    text = body.decode("utf-8-sig") if isinstance(body, bytes) else body
    if content_type.startswith("text/csv"):
        return pd.read_csv(io.StringIO(text))
    if content_type.startswith("application/json"):
        found = json.loads(text)
        return pd.DataFrame(found if isinstance(found, list) else [found])
    raise ValueError(f"the content type is {content_type!r}; it must be text/csv or application/json")


def predict_fn(rows: pd.DataFrame, learnt: dict[str, Any]) -> list[float]:
    """Return the rent of each row: (n_rows,)."""
    columns = learnt["categories"] + learnt["numbers"]
    missing = [column for column in columns if column not in rows.columns]
    if missing:
        raise ValueError(f"the column {', '.join(missing)} is missing; needed are {', '.join(columns)}")
    if not len(rows):
        raise ValueError("the request has no rows")
    for column in learnt["numbers"]:
        found = pd.to_numeric(rows[column], errors="coerce")
        wrong = rows[column][found.isna() & rows[column].notna()]
        if len(wrong):
            raise ValueError(f"{column} is {wrong.iloc[0]!r}; it must be a number")
        rows = rows.assign(**{column: found})
    return [round(float(rent), 2) for rent in learnt["model"].predict(rows[columns])]


def output_fn(prediction: list[float], accept: str) -> tuple[str, str]:
    """Return the answer and its content type: JSON, or CSV of one rent a line."""
    if "text/csv" in accept:
        return "".join(f"{rent}\n" for rent in prediction), "text/csv"
    return json.dumps({"predictions": prediction}), "application/json"
