"""Whether an alarm is on: CloudWatch's evaluation of the last periods.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
"""

from __future__ import annotations

import math
import operator
from typing import TYPE_CHECKING, Any

from .expressions import check, evaluate
from .metrics import Metric, Metrics, dimensions_of, statistic_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}


def check_alarm(alarm: Mapping[str, Any]) -> None:
    """Raise ValueError, with its name, for what the local cloud would not evaluate or not tell anybody."""
    operator_ = alarm.get("ComparisonOperator")
    if operator_ not in _COMPARE:
        known = ", ".join(sorted(_COMPARE))
        raise ValueError(f"ComparisonOperator is {operator_!r}; the local cloud evaluates {known}.")
    for text in (entry["Expression"] for entry in alarm.get("Metrics", []) if "Expression" in entry):
        check(text)
    for statistic in _statistics(alarm):
        statistic_of(statistic, [(0.0, 1.0)])
    for actions in ("AlarmActions", "OKActions", "InsufficientDataActions"):
        for arn in alarm.get(actions, []):
            if not str(arn).startswith("arn:aws:sns:"):
                raise ValueError(f"{actions} names {arn}; the local cloud tells SNS topics only.")


def _statistics(alarm: Mapping[str, Any]) -> list[str]:
    if "Metrics" in alarm:
        return [entry["MetricStat"]["Stat"] for entry in alarm["Metrics"] if "MetricStat" in entry]
    return [str(alarm.get("Statistic") or alarm.get("ExtendedStatistic"))]


def alarm_state(alarm: Mapping[str, Any], metrics: Metrics, now: float) -> tuple[str, str]:
    """The state (`OK`, `ALARM`, `INSUFFICIENT_DATA`) that the alarm has at `now`, and why.

    The period that `now` lies in counts: a failure is seen at once, as CloudWatch evaluates every metric each minute.
    """
    period = int(alarm.get("Period") or min(_periods(alarm), default=60))
    evaluated, needed = (
        int(alarm["EvaluationPeriods"]),
        int(alarm.get("DatapointsToAlarm") or alarm["EvaluationPeriods"]),
    )
    last = math.floor(now / period) * period
    begins = [last - index * period for index in range(evaluated)]
    series = _series(alarm, metrics, period, begins[-1], last + period)
    found = [series[begin] for begin in begins if begin in series]
    breaching = [value for value in found if _COMPARE[alarm["ComparisonOperator"]](value, float(alarm["Threshold"]))]
    missing = evaluated - len(found)
    return _judge(alarm, len(breaching), missing, needed, found)


def watched(alarm: Mapping[str, Any]) -> set[Metric]:
    """The metrics that the alarm depends on."""
    if "MetricName" in alarm:
        return {Metric.of(alarm["Namespace"], alarm["MetricName"], dimensions_of(alarm.get("Dimensions")))}
    sources = [entry["MetricStat"]["Metric"] for entry in alarm.get("Metrics", []) if "MetricStat" in entry]
    return {
        Metric.of(source["Namespace"], source["MetricName"], dimensions_of(source.get("Dimensions")))
        for source in sources
    }


def _judge(alarm: Mapping[str, Any], breaching: int, missing: int, needed: int, found: list[float]) -> tuple[str, str]:
    treatment = alarm.get("TreatMissingData", "missing")
    counted = breaching + (missing if treatment == "breaching" else 0)
    limit = f"{alarm['ComparisonOperator']} {alarm['Threshold']}"
    shown = f"{len(found)} datapoints {found[:5]}, {breaching} of them breach: {limit}"
    if counted >= needed:
        return "ALARM", f"Threshold Crossed: {shown}."
    if not found and treatment == "ignore":
        return str(alarm.get("StateValue", "INSUFFICIENT_DATA")), "No datapoints were received; the state is kept."
    if not found and treatment == "missing":
        return "INSUFFICIENT_DATA", "No datapoints were received."
    return "OK", f"Threshold not crossed: {shown}."


def _periods(alarm: Mapping[str, Any]) -> list[int]:
    return [entry["MetricStat"]["Period"] for entry in alarm.get("Metrics", []) if "MetricStat" in entry]


def _series(alarm: Mapping[str, Any], metrics: Metrics, period: int, start: float, end: float) -> dict[float, float]:
    if "Metrics" not in alarm:
        metric = Metric.of(alarm["Namespace"], alarm["MetricName"], dimensions_of(alarm.get("Dimensions")))
        return metrics.series(metric, alarm.get("Statistic") or alarm["ExtendedStatistic"], period, start, end)
    named = {
        entry["Id"]: _stat_series(entry["MetricStat"], metrics, period, start, end)
        for entry in alarm["Metrics"]
        if "MetricStat" in entry
    }
    result = next(entry for entry in alarm["Metrics"] if entry.get("ReturnData", True))
    return evaluate(result["Expression"], named) if "Expression" in result else named[result["Id"]]


def _stat_series(
    stat: Mapping[str, Any], metrics: Metrics, period: int, start: float, end: float
) -> dict[float, float]:
    source = stat["Metric"]
    metric = Metric.of(source["Namespace"], source["MetricName"], dimensions_of(source.get("Dimensions")))
    return metrics.series(metric, stat["Stat"], period, start, end)
