"""Judge the trained model by the rows that it has not seen, and write `evaluation.json`.

It holds `metrics` (accuracy, f1, roc_auc, log_loss), `confusion_matrix` (labels, rows) and `n_rows`. F1 is that of the
males; a row of the confusion matrix is a true sex, a column a predicted one.
"""

from __future__ import annotations

import argparse
import json
import tarfile
import tempfile
from pathlib import Path
from typing import Any

import joblib
import pandas as pd
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, log_loss, roc_auc_score

TARGET = "sex"
POSITIVE = "male"


def load_model(source: Path) -> dict[str, Any]:
    """Return what `train.py` wrote: from `model.tar.gz` in `source`, as SageMaker leaves it, or from `model.joblib`."""
    archive = source / "model.tar.gz"
    if not archive.is_file():
        return joblib.load(source / "model.joblib")
    with tempfile.TemporaryDirectory() as folder, tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")  # refuses members that would be written outside the folder
        return joblib.load(Path(folder) / "model.joblib")


def read_rows(folder: Path, columns: list[str]) -> pd.DataFrame:
    """Return the rows of all `.csv` files in `folder`; raises ValueError when there are none or columns are missing."""
    files = sorted(folder.glob("*.csv"))
    if not files:
        raise ValueError(f"{folder} holds no .csv file")
    rows = pd.concat([pd.read_csv(file) for file in files], ignore_index=True)
    missing = [column for column in columns if column not in rows.columns]
    if missing:
        raise ValueError(f"{folder} has no column {', '.join(missing)}; it has {', '.join(map(str, rows.columns))}")
    if not len(rows):
        raise ValueError(f"{folder} has no rows to judge the model by")
    return rows


def evaluate(learnt: dict[str, Any], rows: pd.DataFrame) -> dict[str, Any]:
    """Return the report on a model that `load_model` gave; `rows` hold its columns and the target."""
    classes = learnt["classes"]
    features, truth = rows[learnt["categories"] + learnt["measurements"]], rows[TARGET]
    probabilities = learnt["model"].predict_proba(features)  # (n_rows, n_classes)
    predicted = [classes[index] for index in probabilities.argmax(axis=1)]
    positive = probabilities[:, classes.index(POSITIVE)]
    metrics = {
        "accuracy": accuracy_score(truth, predicted),
        "f1": f1_score(truth, predicted, pos_label=POSITIVE),
        "roc_auc": roc_auc_score(truth == POSITIVE, positive),
        "log_loss": log_loss(truth, probabilities, labels=classes),
    }
    return {
        "metrics": {name: float(value) for name, value in metrics.items()},
        "confusion_matrix": {"labels": classes, "rows": confusion_matrix(truth, predicted, labels=classes).tolist()},
        "n_rows": len(rows),
    }


def main(arguments: list[str] | None = None) -> None:
    """Run as a processing job, or by hand: `python evaluate.py --model DIR --test DIR --output DIR`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=Path("/opt/ml/processing/model"))
    parser.add_argument("--test", type=Path, default=Path("/opt/ml/processing/test"))
    parser.add_argument("--output", type=Path, default=Path("/opt/ml/processing/evaluation"))
    options = parser.parse_args(arguments)

    learnt = load_model(options.model)
    report = evaluate(learnt, read_rows(options.test, learnt["categories"] + learnt["measurements"] + [TARGET]))
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "evaluation.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    print(", ".join(f"{name}={value:.4f}" for name, value in report["metrics"].items()), f"on {report['n_rows']} rows")


if __name__ == "__main__":
    main()
