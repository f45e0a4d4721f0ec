"""The model behind BentoML: a service with one endpoint, JSON in and out."""

from __future__ import annotations

import os
from typing import Any

import bentoml
import pandas as pd
from columns import Penguins


@bentoml.service(workers=int(os.environ["WORKERS"]), traffic={"timeout": 60})
class Service:
    """The endpoint."""

    def __init__(self) -> None:
        """Load the model once a worker."""
        self.model = Penguins()

    @bentoml.api(route="/invocations")
    def invocations(self, instances: list[dict[str, Any]]) -> dict[str, Any]:
        """Answer one request."""
        return {"predictions": self.model.predict(pd.DataFrame(instances))}
