"""Judge the model by the rows that it has not seen, and write `evaluation.json`: `{"metrics": {...}, "n_rows": …}`."""

from __future__ import annotations

import argparse
import json
import tarfile
import tempfile
from pathlib import Path
from typing import Any

import joblib
import pandas as pd
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

TARGET = "rent"


def load_model(source: Path) -> dict[str, Any]:
    """Return what `train.py` wrote: from `model.tar.gz` in `source`, as SageMaker leaves it, or from `model.joblib`."""
    archive = source / "model.tar.gz"
    if not archive.is_file():
        return joblib.load(source / "model.joblib")
    with tempfile.TemporaryDirectory() as folder, tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")  # refuses members that would be written outside the folder
        return joblib.load(Path(folder) / "model.joblib")


def evaluate(learnt: dict[str, Any], rows: pd.DataFrame) -> dict[str, float]:
    """Return the metrics of a model that `load_model` gave; errors are in the unit of the rent."""
    truth = rows[TARGET]
    predicted = learnt["model"].predict(rows[learnt["categories"] + learnt["numbers"]])
    return {
        "r2": float(r2_score(truth, predicted)),
        "mean_absolute_error": float(mean_absolute_error(truth, predicted)),
        "root_mean_squared_error": float(root_mean_squared_error(truth, predicted)),
    }


def main(arguments: list[str] | None = None) -> None:
    """Run as a processing job, or by hand."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=Path("/opt/ml/processing/model"))
    parser.add_argument("--test", type=Path, default=Path("/opt/ml/processing/test"))
    parser.add_argument("--output", type=Path, default=Path("/opt/ml/processing/evaluation"))
    options = parser.parse_args(arguments)

    files = sorted(options.test.glob("*.csv"))
    if not files:
        raise ValueError(f"{options.test} holds no .csv file")
    rows = pd.concat([pd.read_csv(file) for file in files], ignore_index=True)
    report = {"metrics": evaluate(load_model(options.model), rows), "n_rows": len(rows)}
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "evaluation.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    print(", ".join(f"{name}={value:.4f}" for name, value in report["metrics"].items()), f"on {len(rows)} rows")


if __name__ == "__main__":
    main()
