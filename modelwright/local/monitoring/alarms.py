"""Which state an alarm is in: CloudWatch's evaluation of the last periods.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
"""

from __future__ import annotations

import math
import operator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .expressions import Series, check, evaluate
from .judgement import Judgement, judge
from .metrics import Metric, Metrics, dimensions_of, statistic_of
from .reasons import reason

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}
_TREATMENTS = ("breaching", "ignore", "missing", "notBreaching")
_MOST_METRICS = 10
_DAY_SECONDS, _HOUR_SECONDS = 86_400, 3600
MINUTE_SECONDS = 60.0
SCALING = "arn:aws:autoscaling:"
"""how the ARN of a scaling policy begins, Application Auto Scaling's too"""


@dataclass(frozen=True)
class Pace:
    """How long a minute of an alarm's definition lasts; everything else of the definition counts as it is."""

    minute_seconds: float = MINUTE_SECONDS
    since: float = -math.inf
    """periods that ended before have no data: what was reported once in a longer minute is not many short ones'"""


REAL_TIME = Pace()


def check_alarm(alarm: Mapping[str, Any]) -> None:
    """Raise ValueError, with its name, for what AWS refuses, or the local cloud would not evaluate or not tell anybody.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
    """
    operator_ = alarm.get("ComparisonOperator")
    if operator_ not in _COMPARE:
        known = ", ".join(sorted(_COMPARE))
        raise ValueError(f"ComparisonOperator is {operator_!r}; the local cloud evaluates {known}.")
    if alarm.get("TreatMissingData", "missing") not in _TREATMENTS:
        raise ValueError(f"TreatMissingData is {alarm['TreatMissingData']!r}; it must be {', '.join(_TREATMENTS)}.")
    _check_metrics(alarm)
    _check_time(alarm)
    for statistic in _statistics(alarm):
        statistic_of(statistic, [(0.0, 1.0)])
    for actions in ("AlarmActions", "OKActions", "InsufficientDataActions"):
        for arn in alarm.get(actions, []):
            if not str(arn).startswith(("arn:aws:sns:", SCALING)):
                raise ValueError(f"{actions} names {arn}; the local cloud tells SNS topics and scaling policies only.")


def _check_metrics(alarm: Mapping[str, Any]) -> None:
    entries = alarm.get("Metrics", [])
    for text in (entry["Expression"] for entry in entries if "Expression" in entry):
        check(text)
    if len(watched(alarm)) > _MOST_METRICS:
        raise ValueError(f"Metrics names {len(watched(alarm))} metrics; an alarm takes at most {_MOST_METRICS}.")
    if len(set(_periods(alarm))) > 1:
        raise ValueError(f"Metrics has the periods {sorted(set(_periods(alarm)))}; all must have the same.")
    returned = [entry for entry in entries if entry.get("ReturnData", True)]
    if entries and len(returned) != 1:
        raise ValueError(f"Metrics has {len(returned)} entries with ReturnData; an alarm watches exactly one.")


def _check_time(alarm: Mapping[str, Any]) -> None:
    """Of periods of an hour or more at most seven days are evaluated, of shorter ones at most one."""
    period, evaluated = _period(alarm), int(alarm["EvaluationPeriods"])
    most = 7 * _DAY_SECONDS if period >= _HOUR_SECONDS else _DAY_SECONDS
    if period * evaluated > most:
        message = f"{evaluated} periods of {period} seconds are {period * evaluated} seconds"
        raise ValueError(f"{message}; periods of {period} seconds may be {most} seconds at most.")
    needed = int(alarm.get("DatapointsToAlarm") or evaluated)
    if needed > evaluated:
        raise ValueError(f"DatapointsToAlarm is {needed}; it must be at most EvaluationPeriods, {evaluated}.")


def _statistics(alarm: Mapping[str, Any]) -> list[str]:
    if "Metrics" in alarm:
        return [entry["MetricStat"]["Stat"] for entry in alarm["Metrics"] if "MetricStat" in entry]
    return [str(alarm.get("Statistic") or alarm.get("ExtendedStatistic"))]


def alarm_state(alarm: Mapping[str, Any], metrics: Metrics, now: float, pace: Pace = REAL_TIME) -> tuple[str, str]:
    """The state (`OK`, `ALARM`, `INSUFFICIENT_DATA`) that the alarm has at `now`, and why.

    Periods end with the minute that `now` lies in, as on AWS, where an alarm is evaluated every minute over the periods
    that end then. Here that minute itself counts already: a failure is seen at once. An alarm over more than a day is
    evaluated once an hour there, here like any other.
    """
    scale = pace.minute_seconds / MINUTE_SECONDS
    period, evaluated = _period(alarm) * scale, int(alarm["EvaluationPeriods"])
    needed = int(alarm.get("DatapointsToAlarm") or evaluated)
    step = min(pace.minute_seconds, period)
    end = (math.floor(now / step) + 1) * step
    judgement = Judgement(
        needed, evaluated, alarm.get("TreatMissingData", "missing"), alarm.get("StateValue", "INSUFFICIENT_DATA")
    )
    first = end - period * judgement.range
    begins = [first + number * period for number in range(judgement.range)]  # as Metrics.series computes them
    series = _since(pace, period, _series(alarm, metrics, period, begins))
    points = [None if begin not in series else _breaches(alarm, series[begin]) for begin in begins]
    verdict = judge(points, judgement)
    return verdict.state, reason(alarm, judgement, verdict, [(begin, series.get(begin)) for begin in begins])


def latest(alarm: Mapping[str, Any], metrics: Metrics, now: float, pace: Pace = REAL_TIME) -> list[tuple[float, float]]:
    """The alarm's last two data points, by the beginning of their period: the newest one may still be growing."""
    period = _period(alarm) * pace.minute_seconds / MINUTE_SECONDS
    step = min(pace.minute_seconds, period)
    first = (math.floor(now / step) + 1) * step - period * (int(alarm["EvaluationPeriods"]) + 1)
    begins = [first + number * period for number in range(int(alarm["EvaluationPeriods"]) + 1)]
    series = _since(pace, period, _series(alarm, metrics, period, begins))
    return [(begin, series[begin]) for begin in begins if begin in series][-2:]


def _since(pace: Pace, period: float, series: Series) -> Series:
    return {begin: value for begin, value in series.items() if begin + period > pace.since}


def _breaches(alarm: Mapping[str, Any], value: float) -> bool:
    return _COMPARE[alarm["ComparisonOperator"]](value, float(alarm["Threshold"]))


def watched(alarm: Mapping[str, Any]) -> set[Metric]:
    """The metrics that the alarm depends on."""
    if "MetricName" in alarm:
        return {Metric.of(alarm["Namespace"], alarm["MetricName"], dimensions_of(alarm.get("Dimensions")))}
    sources = [entry["MetricStat"]["Metric"] for entry in alarm.get("Metrics", []) if "MetricStat" in entry]
    return {
        Metric.of(source["Namespace"], source["MetricName"], dimensions_of(source.get("Dimensions")))
        for source in sources
    }


def _period(alarm: Mapping[str, Any]) -> int:
    return int(alarm.get("Period") or min(_periods(alarm), default=60))


def _periods(alarm: Mapping[str, Any]) -> list[int]:
    return [entry["MetricStat"]["Period"] for entry in alarm.get("Metrics", []) if "MetricStat" in entry]


def _series(alarm: Mapping[str, Any], metrics: Metrics, period: float, begins: list[float]) -> Series:
    end = begins[-1] + period
    if "Metrics" not in alarm:
        metric = Metric.of(alarm["Namespace"], alarm["MetricName"], dimensions_of(alarm.get("Dimensions")))
        statistic = alarm.get("Statistic") or alarm["ExtendedStatistic"]
        return metrics.series(metric, statistic, period, begins[0], end, aligned=False)
    named = {
        entry["Id"]: _stat_series(entry["MetricStat"], metrics, period, begins[0], end)
        for entry in alarm["Metrics"]
        if "MetricStat" in entry
    }
    result = next(entry for entry in alarm["Metrics"] if entry.get("ReturnData", True))
    return evaluate(result["Expression"], named, begins) if "Expression" in result else named[result["Id"]]


def _stat_series(stat: Mapping[str, Any], metrics: Metrics, period: float, start: float, end: float) -> Series:
    source = stat["Metric"]
    metric = Metric.of(source["Namespace"], source["MetricName"], dimensions_of(source.get("Dimensions")))
    return metrics.series(metric, stat["Stat"], period, start, end, aligned=False)
