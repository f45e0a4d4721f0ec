"""Metrics: every value that was recorded, and statistics over periods.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html
"""

from __future__ import annotations

import bisect
import json
import math
from collections import defaultdict
from dataclasses import dataclass
from threading import RLock
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from modelwright.local.store.database import Database

_KIND = "metric"


@dataclass(frozen=True)
class Metric:
    """What identifies a metric: each set of dimensions is a metric of its own, as on AWS."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, namespace: str, name: str, dimensions: Mapping[str, str]) -> Metric:
        """The metric, whatever order the dimensions came in."""
        return cls(namespace, name, tuple(sorted(dimensions.items())))

    @property
    def key(self) -> str:
        """Its name in the database."""
        return json.dumps([self.namespace, self.name, *map(list, self.dimensions)])

    @classmethod
    def from_key(cls, key: str) -> Metric:
        """The metric of a name in the database."""
        namespace, name, *dimensions = json.loads(key)
        return cls(namespace, name, tuple((item[0], item[1]) for item in dimensions))


@dataclass(frozen=True)
class Recorded:
    """A value (`count` times) of a metric at `at`, in epoch seconds."""

    metric: Metric
    at: float
    value: float
    unit: str
    count: float = 1

    @property
    def body(self) -> dict[str, Any]:
        """What is kept of it, in its metric's stream."""
        return {"at": self.at, "value": self.value, "unit": self.unit, "count": self.count}


class Metrics:
    """Values in the order in which they were recorded, one stream a metric."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = RLock()
        self._known: dict[str, Metric] = {}
        self._values: dict[str, list[tuple[float, float, float]]] = {}  # (at, value, count) in the order of time

    def load(self) -> None:
        """Take up what an earlier local cloud recorded."""
        self._known = {key: Metric.from_key(key) for key, _ in self._database.all(_KIND)}

    def record(self, metric: Metric, at: float, value: float, unit: str, count: float = 1) -> None:
        """Add a value (`count` times) at `at`, in epoch seconds."""
        self.record_all([Recorded(metric, at, value, unit, count)])

    def record_all(self, values: Sequence[Recorded]) -> None:
        """Add values, all of them or none."""
        for each in values:
            if not math.isfinite(each.value):
                raise ValueError(f"{each.metric.namespace} {each.metric.name}: {each.value} is no metric value")
        with self._lock, self._database.transaction():
            for metric, group in _by_metric(values).items():
                if metric.key not in self._known:
                    self._database.put(_KIND, metric.key, {})
                self._database.append(_stream(metric), [each.body for each in group])
            for each in values:
                self._known[each.metric.key] = each.metric
                if each.metric.key in self._values:
                    bisect.insort(self._values[each.metric.key], (each.at, each.value, each.count))

    def all(self) -> list[Metric]:
        """Every metric that has a value."""
        with self._lock:
            return list(self._known.values())

    def values(self, metric: Metric, start: float, end: float) -> list[tuple[float, float, float]]:
        """(epoch seconds, value, count) with `start <= at < end`, in the order of time."""
        with self._lock:
            known = self._values.get(metric.key)
            if known is None:  # each alarm asks at each new value: the disk is read once
                found = (entry for _, entry in self._database.read(_stream(metric)))
                known = sorted((entry["at"], entry["value"], entry["count"]) for entry in found)
                self._values[metric.key] = known
            first, last = (bisect.bisect_left(known, (moment,)) for moment in (start, end))
            return known[first:last]

    def series(  # noqa: PLR0913 - what CloudWatch is asked for, too
        self, metric: Metric, statistic: str, period: float, start: float, end: float, *, aligned: bool = True
    ) -> dict[float, float]:
        """The statistic of each period that has values, by the period's beginning.

        Periods begin at multiples of `period`, or one after the other from `start` on when not `aligned`.
        """
        origin = 0.0 if aligned else start
        periods: dict[float, list[tuple[float, float]]] = defaultdict(list)
        for at, value, count in self.values(metric, start, end):
            periods[origin + math.floor((at - origin) / period) * period].append((value, count))
        return {begin: statistic_of(statistic, values) for begin, values in sorted(periods.items())}


def statistic_of(statistic: str, values: list[tuple[float, float]]) -> float:
    """One of CloudWatch's statistics over (value, count) pairs; percentiles as `p99`.

    Raises:
        ValueError: a statistic that the local cloud does not compute.
    """
    total, count = sum(value * times for value, times in values), sum(times for _, times in values)
    if statistic in {"Sum", "SampleCount", "Average"}:
        return {"Sum": total, "SampleCount": count, "Average": total / count if count else 0.0}[statistic]
    if statistic in {"Minimum", "Maximum"}:
        return (min if statistic == "Minimum" else max)(value for value, _ in values)
    if statistic.startswith("p") and statistic[1:].replace(".", "", 1).isdigit():
        return _percentile(sorted(values), float(statistic[1:]) / 100 * count)
    raise ValueError(f"the statistic {statistic!r} is not computed by the local cloud")


def _percentile(values: list[tuple[float, float]], rank: float) -> float:
    seen = 0.0
    for value, times in values:
        seen += times
        if seen >= rank:
            return value
    return values[-1][0]


def _by_metric(values: Sequence[Recorded]) -> dict[Metric, list[Recorded]]:
    found: dict[Metric, list[Recorded]] = defaultdict(list)
    for each in values:
        found[each.metric].append(each)
    return found


def _stream(metric: Metric) -> str:
    return f"metric\n{metric.key}"


def dimensions_of(entries: list[dict[str, Any]] | None) -> dict[str, str]:
    """`[{Name, Value}]` as a mapping."""
    return {entry["Name"]: entry["Value"] for entry in entries or []}
