"""Why an alarm is in its state, in CloudWatch's words.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html shows some of them.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .judgement import Judgement, Verdict

_PHRASES = {
    "GreaterThanOrEqualToThreshold": "greater than or equal to",
    "GreaterThanThreshold": "greater than",
    "LessThanThreshold": "less than",
    "LessThanOrEqualToThreshold": "less than or equal to",
}
_FILLED = {"breaching": "Breaching", "notBreaching": "NonBreaching", "ignore": "Ignored", "missing": "Missing"}


def reason(
    alarm: Mapping[str, Any], asked: Judgement, verdict: Verdict, points: Sequence[tuple[float, float | None]]
) -> str:
    """The state's reason: the points that count, newest first, and what they were compared with."""
    if verdict.state == "INSUFFICIENT_DATA":
        return f"Insufficient Data: {_many(asked.evaluated, 'datapoint')} unknown."
    if not verdict.used:
        treated = f"{_many(verdict.filled, 'missing datapoint')} treated as [{_FILLED[asked.treatment]}]"
        return f"Threshold Crossed: no datapoints were received for {_number(asked.evaluated, 'period')} and {treated}."
    told = verdict.breaching if verdict.state == "ALARM" and verdict.breaching else verdict.used
    shown = ", ".join(_shown(*points[index]) for index in reversed(told))
    phrase = _PHRASES[alarm["ComparisonOperator"]]
    compared = f"{phrase} the threshold ({float(alarm['Threshold'])})"
    if verdict.state != "ALARM":
        return (
            f"Threshold Crossed: of the last {_number(len(verdict.used), 'datapoint')} [{shown}] not enough {compared}."
        )
    change = f"(minimum {_number(asked.needed, 'datapoint')} for {asked.before} -> ALARM transition)"
    crossed = f"{len(told)} out of the last {asked.evaluated} datapoints [{shown}]"
    return f"Threshold Crossed: {crossed} {'was' if len(told) == 1 else 'were'} {compared} {change}."


def _shown(begin: float, value: float | None) -> str:
    return f"{value} ({datetime.fromtimestamp(begin, UTC):%d/%m/%y %H:%M:%S})"


def _number(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _many(count: int, what: str) -> str:
    return f"{_number(count, what)} {'was' if count == 1 else 'were'}"
