"""The gate's clauses against the metrics of the model and of the champion. Pure."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shared.errors import PipelineError

if TYPE_CHECKING:
    from collections.abc import Callable

_OPERATORS: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "==": operator.eq,
    "!=": operator.ne,
}


class MetricMissing(PipelineError):
    """The gate names a metric that the evaluation did not measure."""


@dataclass(frozen=True)
class Verdict:
    """What one clause found."""

    text: str
    passed: bool
    found: float
    limit: float | None  # None when the champion has no such metric
    note: str = ""

    def to_output(self) -> dict[str, Any]:
        """The clause in the execution's output."""
        output = {"text": self.text, "passed": self.passed, "found": self.found, "limit": self.limit}
        return {**output, "note": self.note} if self.note else output


def decide(gate: list[dict[str, Any]], metrics: dict[str, float], champion: dict[str, float] | None) -> dict[str, Any]:
    """Judge each clause; all must pass. `champion` is None when no package serves yet."""
    _check_measured(gate, metrics)
    verdicts = [_judge(clause, metrics, champion) for clause in gate]
    return {"passed": all(item.passed for item in verdicts), "clauses": [item.to_output() for item in verdicts]}


def floors_missed(gate: list[dict[str, Any]], clauses: list[dict[str, Any]]) -> int:
    """How many clauses on a number, of `decide`'s, do not hold; those on the champion are no floors."""
    numbers = {clause["text"] for clause in gate if "number" in clause["right"]}
    return sum(not clause["passed"] for clause in clauses if clause["text"] in numbers)


def _check_measured(gate: list[dict[str, Any]], metrics: dict[str, float]) -> None:
    missing = sorted({clause["left"]["metric"] for clause in gate} - set(metrics))
    if missing:
        raise MetricMissing(
            f"the gate needs {', '.join(missing)}, which evaluate.py did not write; "
            f"it wrote {', '.join(sorted(metrics))}."
        )


def _judge(clause: dict[str, Any], metrics: dict[str, float], champion: dict[str, float] | None) -> Verdict:
    found = metrics[clause["left"]["metric"]]
    right = clause["right"]
    if "number" in right:
        limit = float(right["number"])
        return Verdict(clause["text"], _OPERATORS[clause["op"]](found, limit), found, limit)
    if champion is None:
        return Verdict(clause["text"], True, found, None, "no champion yet")
    if right["champion"] not in champion:
        return Verdict(clause["text"], True, found, None, f"the champion has no metric {right['champion']}")
    limit = champion[right["champion"]] + right.get("plus", 0)
    return Verdict(clause["text"], _OPERATORS[clause["op"]](found, limit), found, limit)
