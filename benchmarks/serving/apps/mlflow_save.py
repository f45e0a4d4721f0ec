"""`python mlflow_save.py FOLDER`: write the model as MLflow wants it."""

from __future__ import annotations

import sys
from pathlib import Path

import mlflow

here = Path(__file__).parent
mlflow.pyfunc.save_model(
    sys.argv[1],
    python_model=str(here / "mlflow_model.py"),
    code_paths=[str(here / "columns.py")],
    pip_requirements=["mlflow"],
)
