"""The model, trained once by the pipeline's own scripts, and rows to ask it for."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmarks import bare
from benchmarks.project import ROOT

if TYPE_CHECKING:
    from pathlib import Path

_FOLDER = ROOT / "training_code" / "penguins"


@dataclass(frozen=True)
class Prediction:
    """What a server says of one row."""

    label: str
    probability: dict[str, float]


def train(folder: Path) -> Path:
    """Return a model folder as SageMaker unpacks it: model.joblib, and the script under code/."""
    bare.run_scripts(folder)
    model = folder / "model"
    (model / "code").mkdir()
    shutil.copy2(_FOLDER / "inference.py", model / "code")
    return model


def take_rows(count: int) -> list[dict[str, Any]]:
    """Return complete rows of the pipeline's data, from its start again and again."""
    import pandas as pd  # noqa: PLC0415  # slow, and only a measurement wants it

    columns = ["species", "island", "bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g"]
    rows = pd.read_csv(_FOLDER / "data" / "penguins.csv")[columns].dropna().to_dict("records")
    return [rows[index % len(rows)] for index in range(count)]


def expected(model: Path, rows: list[dict[str, Any]]) -> list[Prediction]:
    """Return what the model says without any server."""
    import joblib  # noqa: PLC0415  # as above
    import pandas as pd  # noqa: PLC0415

    learnt = joblib.load(model / "model.joblib")
    classes = learnt["classes"]
    found = learnt["model"].predict_proba(pd.DataFrame(rows))  # (n_rows, n_classes)
    return [Prediction(classes[row.argmax()], dict(zip(classes, map(float, row), strict=True))) for row in found]


def difference(wanted: list[Prediction], found: list[Prediction]) -> str | None:
    """Say how answers differ: in number, in a label, or by more than 1e-6 in a probability."""
    if len(wanted) != len(found):
        return f"{len(found)} answers to {len(wanted)} rows"
    for index, (one, other) in enumerate(zip(wanted, found, strict=True)):
        same = one.probability.keys() == other.probability.keys() and all(
            abs(value - other.probability[name]) <= 1e-6 for name, value in one.probability.items()
        )
        if one.label != other.label or not same:
            return f"row {index} is {other}, it should be {one}"
    return None
