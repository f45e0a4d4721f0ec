"""Alarms: each says what happened and what to do. No data is no alarm, except where data is what is asked for.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aws_cdk import aws_cloudwatch as cloudwatch

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from constructs import Construct

MINUTE_SECONDS = 60
FIVE_MINUTES_SECONDS = 300
DAY_SECONDS = 86_400
MICROSECONDS_PER_MS = 1000


@dataclass(frozen=True)
class Metric:
    """One CloudWatch metric."""

    namespace: str
    name: str
    dimensions: Mapping[str, str]


@dataclass(frozen=True)
class Level:
    """When it is too much, `statistic` of a period over `threshold`; or too little, under it."""

    statistic: str = "Sum"
    threshold: float = 0
    period_seconds: int = FIVE_MINUTES_SECONDS
    periods: int = 1
    too_little: bool = False


class Alarms:
    """Makes alarms that publish to one topic when they go off.

    Not when all is well again: CloudWatch would also say so of each new alarm, and a message is to mean something.
    """

    def __init__(self, scope: Construct, topic_arn: str) -> None:
        """Publish to `topic_arn`."""
        self._scope = scope
        self._topic_arn = topic_arn

    def on(self, id_: str, what: str, metric: Metric, level: Level | None = None) -> cloudwatch.CfnAlarm:
        """Make an alarm of one metric; `what` says what happened and what to do."""
        level = level or Level()
        extended = level.statistic.startswith("p")
        return self._alarm(
            id_,
            what,
            level,
            namespace=metric.namespace,
            metric_name=metric.name,
            dimensions=_dimensions(metric),
            period=level.period_seconds,
            statistic=None if extended else level.statistic,
            extended_statistic=level.statistic if extended else None,
        )

    def on_sum(self, id_: str, what: str, metrics: Sequence[Metric]) -> cloudwatch.CfnAlarm:
        """Make one alarm of the sum of at most ten metrics: CloudWatch's limit for the metrics of an alarm."""
        if len(metrics) > 10:
            raise ValueError(f"{id_} sums {len(metrics)} metrics; CloudWatch takes at most 10 in an alarm.")
        named = {f"m{number}": metric for number, metric in enumerate(metrics)}
        return self.on_expression(id_, what, " + ".join(f"FILL({name}, 0)" for name in named), named, Level())

    def on_expression(
        self, id_: str, what: str, expression: str, named: Mapping[str, Metric], level: Level
    ) -> cloudwatch.CfnAlarm:
        """Make an alarm of metric math over the sums of `named` metrics.

        https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
        """
        queries: list[Any] = [_query(name, metric, level.period_seconds) for name, metric in named.items()]
        queries.append({"id": "result", "expression": expression, "label": what[:100], "returnData": True})
        return self._alarm(id_, what, level, metrics=queries)

    def _alarm(self, id_: str, what: str, level: Level, **properties: Any) -> cloudwatch.CfnAlarm:
        return cloudwatch.CfnAlarm(
            self._scope,
            id_,
            alarm_description=what,
            comparison_operator="LessThanThreshold" if level.too_little else "GreaterThanThreshold",
            threshold=level.threshold,
            evaluation_periods=level.periods,
            treat_missing_data="breaching" if level.too_little else "notBreaching",
            alarm_actions=[self._topic_arn],
            **properties,
        )


def _dimensions(metric: Metric) -> list[Any]:
    return [{"name": name, "value": value} for name, value in metric.dimensions.items()]


def _query(name: str, metric: Metric, period_seconds: int) -> dict[str, Any]:
    described = {"namespace": metric.namespace, "metricName": metric.name, "dimensions": _dimensions(metric)}
    stat = {"metric": described, "period": period_seconds, "stat": "Sum"}
    return {"id": name, "metricStat": stat, "returnData": False}
