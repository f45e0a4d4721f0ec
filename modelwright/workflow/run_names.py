"""The names of what a run makes in SageMaker, and the patterns that hold those of one pipeline in one environment.

`<environment>-<pipeline>-<step>-<run id>-<attempt>` and, without a step, models and endpoint configurations. Run id and
attempt have a fixed length: so a pattern with a `?` for each of their characters holds no name of another pipeline or
environment, however its name begins. (A policy's pattern knows `*` and `?` only:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html)
"""

from __future__ import annotations

import re
from typing import Final

RUN_ID_LENGTH: Final = 12
ATTEMPT_LENGTH: Final = 2
_BATCH: Final = "bt"
"""in the place of the attempt, of a model of batch transform: it is no deployment's, and none is pushed out by it"""
SHADOW_ATTEMPT: Final = "9"
"""The first digit of a configuration that has the new model as a shadow; others have 0 to 4, rounds of waiting."""


def name_prefix(environment: str, pipeline: str, step: str | None = None) -> str:
    """What the names begin with: of jobs of `step`, or without one of models and endpoint configurations."""
    return "-".join((environment, pipeline, *((step,) if step else ()))) + "-"


def name_pattern(environment: str, pipeline: str, step: str | None = None) -> str:
    """The pattern of a policy that holds exactly these names."""
    return name_prefix(environment, pipeline, step) + "?" * RUN_ID_LENGTH + "-" + "?" * ATTEMPT_LENGTH


def deployment_run(environment: str, pipeline: str, name: str) -> str | None:
    """The run that made the model or endpoint configuration `name`; None when no run of this pipeline did."""
    ours = re.escape(name_prefix(environment, pipeline))
    found = re.fullmatch(rf"{ours}([0-9a-f]{{{RUN_ID_LENGTH}}})-[0-9]{{{ATTEMPT_LENGTH}}}", name)
    return found[1] if found else None


def batch_model(environment: str, pipeline: str, run: str) -> str:
    """The name of the model with which batch transform uses what a run made."""
    return f"{name_prefix(environment, pipeline)}{run}-{_BATCH}"


def is_batch_model(environment: str, pipeline: str, name: str) -> bool:
    """Whether it is the name of such a model of this pipeline."""
    ours = re.escape(name_prefix(environment, pipeline))
    return re.fullmatch(rf"{ours}[0-9a-f]{{{RUN_ID_LENGTH}}}-{_BATCH}", name) is not None
