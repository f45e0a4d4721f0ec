"""What the model of `train.py` wants and says, for the peers that do not run `inference.py`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import joblib
import pandas as pd


class Penguins:
    """The trained model."""

    def __init__(self) -> None:
        """Load what `train.py` wrote into the folder MODEL_DIR."""
        learnt = joblib.load(Path(os.environ["MODEL_DIR"]) / "model.joblib")
        self._model, self._classes = learnt["model"], learnt["classes"]
        self._columns = learnt["categories"] + learnt["measurements"]

    def from_csv(self, text: Any) -> pd.DataFrame:
        """Read rows without a header from a file object."""
        return pd.read_csv(text, header=None, names=self._columns)

    def predict(self, rows: pd.DataFrame) -> list[dict[str, Any]]:
        """Return what `predict_fn` of the project returns."""
        probabilities = self._model.predict_proba(rows[self._columns])  # (n_rows, n_classes)
        return [
            {"sex": self._classes[best], "probability": dict(zip(self._classes, row, strict=True))}
            for best, row in zip(probabilities.argmax(axis=1).tolist(), probabilities.tolist(), strict=True)
        ]
