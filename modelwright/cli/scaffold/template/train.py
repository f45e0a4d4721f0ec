"""Learn a flat's rent: one-hot encoding, standard scaling and ridge regression in one scikit-learn pipeline.

Writes `model.joblib`: a dict of the fitted pipeline (`model`) and the columns that it wants (`categories`, `numbers`).
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import joblib
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

TARGET = "rent"
CATEGORIES = ["district", "balcony"]
NUMBERS = ["area_m2", "rooms", "year_built", "floor"]


def build_model(alpha: float) -> Pipeline:
    """Return the pipeline, not fitted yet; `alpha` is the strength of the regularization."""
    columns = ColumnTransformer(
        [
            ("categories", OneHotEncoder(handle_unknown="ignore"), CATEGORIES),
            ("numbers", make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), NUMBERS),
        ]
    )
    return Pipeline([("columns", columns), ("regression", Ridge(alpha=alpha))])


def main(arguments: list[str] | None = None) -> None:
    """Run as a training job, or by hand."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--train", type=Path, default=os.environ.get("SM_CHANNEL_TRAIN", "/opt/ml/input/data/train"))
    parser.add_argument("--model-dir", type=Path, default=os.environ.get("SM_MODEL_DIR", "/opt/ml/model"))
    parser.add_argument("--alpha", type=float, default=1.0, help="strength of the regularization, 0 or more")
    options = parser.parse_args(arguments)
    if options.alpha < 0:
        parser.error(f"alpha is {options.alpha}; it must be 0 or more")

    files = sorted(options.train.glob("*.csv"))
    if not files:
        raise ValueError(f"{options.train} holds no .csv file")
    rows = pd.concat([pd.read_csv(file) for file in files], ignore_index=True)
    model = build_model(options.alpha).fit(rows[CATEGORIES + NUMBERS], rows[TARGET])
    options.model_dir.mkdir(parents=True, exist_ok=True)
    learnt = {"model": model, "categories": CATEGORIES, "numbers": NUMBERS}
    joblib.dump(learnt, options.model_dir / "model.joblib")
    score = model.score(rows[CATEGORIES + NUMBERS], rows[TARGET])
    print(f"trained on {len(rows)} rows with alpha={options.alpha}: train_r2={score:.4f}")


if __name__ == "__main__":
    main()
