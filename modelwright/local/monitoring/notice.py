"""What an alarm's notification says of what it watches, in AWS's form.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_COMMON = ("EvaluationPeriods", "DatapointsToAlarm", "ComparisonOperator", "Threshold", "TreatMissingData")


def trigger(alarm: Mapping[str, Any]) -> dict[str, Any]:
    """The member `Trigger`: one metric, or metric math with what it is made of."""
    common = {name: alarm[name] for name in _COMMON if name in alarm}
    if "Metrics" in alarm:
        return {"Metrics": [_entry(entry) for entry in alarm["Metrics"]], **common}
    statistic = (
        {"StatisticType": "Statistic", "Statistic": alarm["Statistic"].upper()}
        if "Statistic" in alarm
        else {"StatisticType": "ExtendedStatistic", "ExtendedStatistic": alarm["ExtendedStatistic"]}
    )
    return {
        "MetricName": alarm["MetricName"],
        "Namespace": alarm["Namespace"],
        "Dimensions": _dimensions(alarm.get("Dimensions", ())),
        "Period": alarm["Period"],
        **statistic,
        **common,
    }


def _entry(entry: Mapping[str, Any]) -> dict[str, Any]:
    if "MetricStat" not in entry:
        return dict(entry)
    stat = entry["MetricStat"]
    metric = {**stat["Metric"], "Dimensions": _dimensions(stat["Metric"].get("Dimensions", ()))}
    return {**entry, "MetricStat": {**stat, "Metric": metric}}


def _dimensions(entries: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
    """The notification writes `name` and `value`, where the API has `Name` and `Value`."""
    return [{"name": entry["Name"], "value": entry["Value"]} for entry in entries]
