"""The model behind MLflow's scoring server: a python_function, written as code (`models-from-code`)."""

from __future__ import annotations

from typing import Any

import mlflow
import pandas as pd  # noqa: TC002  # MLflow reads the signature while it runs
from columns import Penguins


class Model(mlflow.pyfunc.PythonModel):
    """What MLflow calls."""

    def load_context(self, context: Any) -> None:  # noqa: ARG002  # MLflow's signature
        """Load the model once a worker."""
        self.model = Penguins()

    def predict(self, context: Any, model_input: pd.DataFrame, params: Any = None) -> list[dict[str, Any]]:  # noqa: ARG002
        """Answer one request."""
        return self.model.predict(model_input)


mlflow.models.set_model(Model())
