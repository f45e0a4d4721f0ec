"""Learn to tell a penguin's sex from its species, its island and its measurements.

One-hot encoding, standard scaling and logistic regression in one scikit-learn pipeline, so that a prediction needs
nothing but the raw columns. Writes `model.joblib`: a dict of the fitted pipeline (`model`), the columns that it wants
(`categories`, `measurements`) and its classes.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import joblib
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

TARGET = "sex"
CATEGORIES = ["species", "island"]
MEASUREMENTS = ["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g"]


def read_rows(folder: Path) -> pd.DataFrame:
    """Return the rows of all `.csv` files in `folder`; raises ValueError when there are none or columns are missing."""
    files = sorted(folder.glob("*.csv"))
    if not files:
        raise ValueError(f"{folder} holds no .csv file")
    rows = pd.concat([pd.read_csv(file) for file in files], ignore_index=True)
    missing = [column for column in [*CATEGORIES, *MEASUREMENTS, TARGET] if column not in rows.columns]
    if missing:
        raise ValueError(f"{folder} has no column {', '.join(missing)}; it has {', '.join(map(str, rows.columns))}")
    if rows[TARGET].nunique() < 2:
        raise ValueError(f"{folder} has {len(rows)} rows of {rows[TARGET].nunique()} sex; both are needed to learn")
    return rows


def build_model(c: float, max_iter: int) -> Pipeline:
    """Return the pipeline, not fitted yet. `c` is the inverse of the regularization's strength.

    Training rows are complete. A missing measurement in a request is taken as the median, and an unknown category
    counts as none: a client gets an answer, and the probability says how much it is worth.
    """
    columns = ColumnTransformer(
        [
            ("categories", OneHotEncoder(handle_unknown="ignore"), CATEGORIES),
            ("measurements", make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), MEASUREMENTS),
        ]
    )
    return Pipeline([("columns", columns), ("classifier", LogisticRegression(C=c, max_iter=max_iter))])


def main(arguments: list[str] | None = None) -> None:
    """Run as a training job, or by hand: `python train.py --train DIR --model-dir DIR`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--train", type=Path, default=Path(os.environ.get("SM_CHANNEL_TRAIN", "/opt/ml/input/data/train"))
    )
    parser.add_argument("--model-dir", type=Path, default=Path(os.environ.get("SM_MODEL_DIR", "/opt/ml/model")))
    parser.add_argument("-C", "--C", type=float, default=1.0, help="inverse of the regularization's strength")
    parser.add_argument("--max-iter", type=int, default=1000)
    options = parser.parse_args(arguments)
    if options.C <= 0 or options.max_iter < 1:
        parser.error(f"C is {options.C} and max-iter is {options.max_iter}; both must be more than 0")

    rows = read_rows(options.train)
    features, target = rows[[*CATEGORIES, *MEASUREMENTS]], rows[TARGET]
    model = build_model(options.C, options.max_iter).fit(features, target)
    options.model_dir.mkdir(parents=True, exist_ok=True)
    learnt = {
        "model": model,
        "categories": CATEGORIES,
        "measurements": MEASUREMENTS,
        "classes": [str(name) for name in model.classes_],
    }
    joblib.dump(learnt, options.model_dir / "model.joblib")
    print(f"trained on {len(rows)} rows with C={options.C}: train_accuracy={model.score(features, target):.4f}")


if __name__ == "__main__":
    main()
