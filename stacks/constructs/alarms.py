"""How alarms are made: what each one says, compares and does without data.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from aws_cdk import aws_cloudwatch as cloudwatch

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from constructs import Construct

MINUTE_SECONDS = 60
FIVE_MINUTES_SECONDS = 300
SIX_HOURS_SECONDS = 21_600
PERIODS_A_DAY = 4
"""of six hours"""
MICROSECONDS_PER_MS = 1000
MOST_METRICS = 10
"""of one alarm: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Create-alarm-on-metric-math-expression.html"""
MOST_CHARACTERS = 1024
"""of a description: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html"""
TO_DO = " What to do: "
"""Stands between what happened and what to do; `modelwright inbox` shows the two apart."""

Missing = Literal["notBreaching", "breaching", "ignore"]


@dataclass(frozen=True)
class Metric:
    """One CloudWatch metric."""

    namespace: str
    name: str
    dimensions: Mapping[str, str]
    statistic: str | None = None
    """In metric math, another one than the level's."""


@dataclass(frozen=True)
class Says:
    """What an alarm tells whoever is told: one sentence each."""

    what: str
    to_do: str

    @property
    def text(self) -> str:
        """Return the alarm's description."""
        found = f"{self.what}{TO_DO}{self.to_do}"
        if len(found) > MOST_CHARACTERS:
            raise ValueError(f"{self.what!r} is described in {len(found)} characters; {MOST_CHARACTERS} are possible.")
        return found


@dataclass(frozen=True)
class Level:
    """When it is too much, `statistic` of a period over `threshold`; or too little, under it."""

    statistic: str = "Sum"
    threshold: float = 0
    period_seconds: int = FIVE_MINUTES_SECONDS
    periods: int = 1
    needed: int | None = None
    """Of `periods`, how many; all by default."""
    too_little: bool = False
    missing: Missing = "notBreaching"
    """What a period without data counts as. Most metrics here are of things that happen: no data, nothing happened."""


def command(environment: str, text: str) -> str:
    """Return a command of ours as a message shows it: one that asks the account that the message comes from.

    `modelwright inbox` shows it without `--aws`, for what it shows happened in the local cloud.
    """
    return f"`modelwright {text} --env {environment} --aws`"


class Alarms:
    """Makes alarms that publish to one topic when they go off, and remembers them for the dashboard.

    Not when all is well again: CloudWatch tells that of each new alarm, too, when it leaves INSUFFICIENT_DATA, so that
    each first deploy would send a message for each alarm. What is on now stands first on the dashboard, and
    `modelwright dashboard` prints it.
    """

    def __init__(self, scope: Construct, topic_arn: str) -> None:
        """Publish to `topic_arn`."""
        self._scope = scope
        self._topic_arn = topic_arn
        self.made: list[cloudwatch.CfnAlarm] = []

    def on(self, id_: str, says: Says, metric: Metric, level: Level | None = None) -> cloudwatch.CfnAlarm:
        """Make an alarm of one metric."""
        level = level or Level()
        extended = level.statistic.startswith("p")
        return self._alarm(
            id_,
            says,
            level,
            namespace=metric.namespace,
            metric_name=metric.name,
            dimensions=_dimensions(metric),
            period=level.period_seconds,
            statistic=None if extended else level.statistic,
            extended_statistic=level.statistic if extended else None,
        )

    def on_sum(self, id_: str, says: Says, metrics: Sequence[Metric]) -> None:
        """Make an alarm of the sum of the metrics; another one for each ten more: an alarm takes no more."""
        for start in range(0, len(metrics), MOST_METRICS):
            named = {f"m{number}": each for number, each in enumerate(metrics[start : start + MOST_METRICS])}
            self.on_expression(f"{id_}{start // MOST_METRICS + 1 if start else ''}", says, " + ".join(named), named)

    def on_expression(
        self, id_: str, says: Says, expression: str, named: Mapping[str, Metric], level: Level | None = None
    ) -> cloudwatch.CfnAlarm:
        """Make an alarm of metric math over `named` metrics.

        Without `FILL`: what is missing counts as 0 where another metric has a value. `FILL` would also give the newest
        minute, whose data come late, the value that stands for all being well, and the alarm would never go off.
        https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
        """
        if len(named) > MOST_METRICS:
            raise ValueError(f"{id_} has {len(named)} metrics; CloudWatch takes at most {MOST_METRICS} in an alarm.")
        level = level or Level()
        queries: list[Any] = [_query(name, metric, level) for name, metric in named.items()]
        queries.append({"id": "result", "expression": expression, "label": says.what[:100], "returnData": True})
        return self._alarm(id_, says, level, metrics=queries)

    def _alarm(self, id_: str, says: Says, level: Level, **properties: Any) -> cloudwatch.CfnAlarm:
        alarm = cloudwatch.CfnAlarm(
            self._scope,
            id_,
            alarm_description=says.text,
            comparison_operator="LessThanThreshold" if level.too_little else "GreaterThanThreshold",
            threshold=level.threshold,
            evaluation_periods=level.periods,
            datapoints_to_alarm=level.needed,
            treat_missing_data=level.missing,
            alarm_actions=[self._topic_arn],
            **properties,
        )
        self.made.append(alarm)
        return alarm


def _dimensions(metric: Metric) -> list[Any]:
    return [{"name": name, "value": value} for name, value in metric.dimensions.items()]


def _query(name: str, metric: Metric, level: Level) -> dict[str, Any]:
    described = {"namespace": metric.namespace, "metricName": metric.name, "dimensions": _dimensions(metric)}
    stat = {"metric": described, "period": level.period_seconds, "stat": metric.statistic or level.statistic}
    return {"id": name, "metricStat": stat, "returnData": False}
