"""What an evaluation says. Pure."""

from __future__ import annotations

import json
import math
import re
from typing import Any

from shared.errors import PipelineError

MAX_METRICS = 100  # they travel through the state machine's variables
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")


class EvaluationInvalid(PipelineError):
    """`evaluation.json` is missing or does not have the form that the gate can read."""


def parse_evaluation(content: bytes | None, uri: str) -> dict[str, float]:
    """The metrics in `{"metrics": {"accuracy": 0.9, …}, …}`: finite numbers by name."""
    if content is None:
        raise EvaluationInvalid(
            f"there is no {uri}; evaluate.py must write evaluation.json into its evaluation folder."
        )
    try:
        found = json.loads(content)
    except ValueError as error:
        raise EvaluationInvalid(f"{uri} is no JSON: {error}.") from error
    metrics = found.get("metrics") if isinstance(found, dict) else None
    if not isinstance(metrics, dict) or not metrics:
        raise EvaluationInvalid(f'{uri} has no metrics; it must hold {{"metrics": {{"<name>": <number>, …}}}}.')
    problems = [*(_problem(name, value) for name, value in metrics.items())]
    wrong = [problem for problem in problems if problem]
    if wrong:
        raise EvaluationInvalid(f"{uri}: {'; '.join(wrong)}.")
    if len(metrics) > MAX_METRICS:
        raise EvaluationInvalid(f"{uri} has {len(metrics)} metrics; at most {MAX_METRICS} are possible.")
    return {name: float(value) for name, value in metrics.items()}


def _problem(name: str, value: Any) -> str | None:
    if not _NAME.fullmatch(name):
        return f"metric {name[:80]!r} must be named with letters, digits and _, at most 64"
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return f"metric {name} is {json.dumps(value)[:80]}; it must be a number"
    try:
        finite = math.isfinite(value)
    except OverflowError:
        finite = False
    return None if finite else f"metric {name} is {str(value)[:20]}; it must be a finite number"


# https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDatum.html
_LARGEST = 2.0**360
_SMALLEST = 2.0**-360


def metric_data(metrics: dict[str, float], pipeline: str, environment: str) -> list[dict[str, Any]]:
    """The metrics that CloudWatch can take, in its form: its numbers lie between 2^-360 and 2^360."""
    dimensions = [{"Name": "Environment", "Value": environment}, {"Name": "Pipeline", "Value": pipeline}]
    taken = {name: value for name, value in metrics.items() if value == 0 or _SMALLEST <= abs(value) <= _LARGEST}
    return [
        {"MetricName": name, "Dimensions": dimensions, "Value": value, "Unit": "None"} for name, value in taken.items()
    ]
