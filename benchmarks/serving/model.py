"""The model, trained once by the pipeline's own scripts, and rows to ask it for."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmarks import bare
from benchmarks.project import ROOT

if TYPE_CHECKING:
    from pathlib import Path

_FOLDER = ROOT / "training_code" / "penguins"
_CATEGORIES = ["species", "island"]
_NUMBERS = ["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g"]
_PREDICT = """
import json, sys, joblib, pandas
learnt = joblib.load(sys.argv[1])
names = learnt["classes"]
found = learnt["model"].predict_proba(pandas.DataFrame(json.load(sys.stdin))).tolist()  # (n_rows, n_classes)
json.dump([[names[row.index(max(row))], dict(zip(names, row))] for row in found], sys.stdout)
"""


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
    with (_FOLDER / "data" / "penguins.csv").open(newline="") as file:
        complete = [
            row for row in csv.DictReader(file) if not {"", "NA"} & {row[name] for name in _CATEGORIES + _NUMBERS}
        ]
    rows = [
        {name: row[name] for name in _CATEGORIES} | {name: float(row[name]) for name in _NUMBERS} for row in complete
    ]
    return [rows[index % len(rows)] for index in range(count)]


def expected(model: Path, rows: list[dict[str, Any]]) -> list[Prediction]:
    """Return what the model says without any server.

    A process of its own says it: libraries that stay in this one would be shared with our server's processes, and take
    memory off their share.
    """
    command = [sys.executable, "-c", _PREDICT, str(model / "model.joblib")]
    done = subprocess.run(command, input=json.dumps(rows), capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"the trained model cannot be asked: {done.stderr}")
    return [Prediction(label, probability) for label, probability in json.loads(done.stdout)]


def difference(wanted: list[Prediction], found: list[Prediction], tolerance: float = 1e-6) -> str | None:
    """Say how answers differ: in number, in a label, or by more than the tolerance in a probability."""
    if len(wanted) != len(found):
        return f"{len(found)} answers to {len(wanted)} rows"
    for index, (one, other) in enumerate(zip(wanted, found, strict=True)):
        same = one.probability.keys() == other.probability.keys() and all(
            abs(value - other.probability[name]) <= tolerance for name, value in one.probability.items()
        )
        if one.label != other.label or not same:
            return f"row {index} is {other}, it should be {one}"
    return None
