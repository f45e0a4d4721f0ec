"""A pipeline's dashboard with its data, read as CloudWatch's console does: the body, then what each widget asks for.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING, Any

from modelwright.client.deployment import stack_resources
from modelwright.client.runs import executions
from modelwright.errors import NotDeployed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from modelwright.client.deployment import Deployment
    from modelwright.client.session import Session

MOST_RUNS = 20
"""that the time by step is taken from"""
MOST_STEPS = 12
_AUTO_PERIODS = ((3, 60), (24, 300), (24 * 15, 3600), (24 * 63, 21_600))
"""hours that are looked at, and the seconds of a period then, so that a graph has at most some hundred points"""


@dataclass(frozen=True)
class Line:
    """One line of a graph: (epoch seconds, value) in the order of time."""

    label: str
    points: tuple[tuple[float, float], ...]
    colour: str | None = None
    right: bool = False


@dataclass(frozen=True)
class Panel:
    """A widget with its data. What another kind of widget has is empty."""

    kind: str
    """`text`, `alarm`, `metric` or `log`."""
    place: tuple[int, int, int, int]
    """x, y, width, height on the grid of 24 columns."""
    title: str = ""
    text: str = ""
    alarms: tuple[tuple[str, str], ...] = ()
    """(name, state)."""
    lines: tuple[Line, ...] = ()
    limits: tuple[tuple[str, float], ...] = ()
    """(label, value) of horizontal lines."""
    axis: Mapping[str, Any] | None = None
    stacked: bool = False
    rows: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class Board:
    """The whole page and the time that it shows, in epoch seconds."""

    panels: tuple[Panel, ...]
    start: float
    end: float


@dataclass(frozen=True)
class Range:
    """The time that is looked at."""

    start: datetime
    end: datetime

    @property
    def period_seconds(self) -> int:
        """The period of graphs that adapts to it."""
        hours = (self.end - self.start).total_seconds() / 3600
        return next((period for most, period in _AUTO_PERIODS if hours <= most), 86_400)


def read_dashboard(session: Session, deployment: Deployment, time: Range) -> Board:
    """Return the dashboard that is deployed, with the data of that time.

    Raises:
        NotDeployed: the stack has none.
    """
    name = stack_resources(session, deployment.stack).get("AWS::CloudWatch::Dashboard")
    if not name:
        raise NotDeployed(f"{deployment.stack} has no dashboard.", "Deploy it again.")
    body = json.loads(session.client("cloudwatch").get_dashboard(DashboardName=name)["DashboardBody"])
    reader = _Reader(session, deployment, time)
    panels = tuple(reader.panel(widget) for widget in body["widgets"])
    return Board(panels, time.start.timestamp(), time.end.timestamp())


class _Reader:
    def __init__(self, session: Session, deployment: Deployment, time: Range) -> None:
        self._session = session
        self._deployment = deployment
        self._time = time

    def panel(self, widget: dict[str, Any]) -> Panel:
        place = (widget["x"], widget["y"], widget["width"], widget["height"])
        kind, properties = widget["type"], widget["properties"]
        title = properties.get("title", "")
        if kind == "text":
            return Panel(kind, place, text=properties["markdown"])
        if kind == "alarm":
            return Panel(kind, place, title, alarms=tuple(self._states(properties["alarms"])))
        if kind == "log":
            return Panel(kind, place, title, rows=tuple(self._steps()))
        limits = properties.get("annotations", {}).get("horizontal", [])
        return Panel(
            kind,
            place,
            title,
            lines=tuple(self._lines(properties)),
            limits=tuple((limit.get("label", ""), float(limit["value"])) for limit in limits),
            axis=properties.get("yAxis", {}).get("left", {}),
            stacked=properties.get("stacked", False),
        )

    def _states(self, arns: Sequence[str]) -> Iterator[tuple[str, str]]:
        """Those that are on come first."""
        names = [arn.partition(":alarm:")[2] for arn in arns]
        found = self._session.client("cloudwatch").describe_alarms(AlarmNames=names, MaxRecords=100)["MetricAlarms"]
        order = ("ALARM", "INSUFFICIENT_DATA", "OK")
        for alarm in sorted(found, key=lambda each: (order.index(each["StateValue"]), each["AlarmName"])):
            yield _short(alarm["AlarmName"], self._deployment.stack), alarm["StateValue"]

    def _lines(self, properties: dict[str, Any]) -> Iterator[Line]:
        entries = [_entry(number, line, properties) for number, line in enumerate(properties["metrics"])]
        found = self._session.client("cloudwatch").get_metric_data(
            MetricDataQueries=[entry.query(self._time.period_seconds) for entry in entries],
            StartTime=self._time.start,
            EndTime=self._time.end,
            ScanBy="TimestampAscending",
        )["MetricDataResults"]
        places = {entry.id: number for number, entry in enumerate(entries)}
        for result in sorted(found, key=lambda each: places[each["Id"]]):
            entry = entries[places[result["Id"]]]
            points = zip(result["Timestamps"], result["Values"], strict=True)
            made = tuple((moment.timestamp(), float(value)) for moment, value in points)
            label = entry.rendering.get("label") or result["Label"]
            yield Line(label, made, entry.rendering.get("color"), entry.rendering.get("yAxis") == "right")

    def _steps(self) -> Iterator[tuple[str, ...]]:
        """The log widget's answer, from the histories of runs: it needs no query that is paid for."""
        seconds: dict[str, list[float]] = {}
        for run in self._runs():
            for state in executions.history(self._session, run["executionArn"]).states:
                if state.kind == "Task" and state.seconds is not None:
                    seconds.setdefault(state.name, []).append(state.seconds)
        yield ("step", "average", "longest", "runs")
        slowest = sorted(seconds.items(), key=lambda each: -fmean(each[1]))
        for name, values in slowest[:MOST_STEPS]:
            yield name, f"{fmean(values):.2f}", f"{max(values):.2f}", str(len(values))

    def _runs(self) -> Iterator[dict[str, Any]]:
        for number, run in enumerate(executions.executions(self._session, self._deployment)):
            if number == MOST_RUNS or run["startDate"] < self._time.start:
                return
            yield run


@dataclass(frozen=True)
class _Entry:
    id: str
    rendering: Mapping[str, Any]
    expression: str = ""
    metric: Mapping[str, Any] | None = None
    statistic: str = "Average"

    def query(self, period: int) -> dict[str, Any]:
        shown = self.rendering.get("visible", True)
        if self.metric is None:
            expression = re.sub(r", \d+\)$", f", {period})", self.expression)  # a search has its period inside
            return {"Id": self.id, "Expression": expression, "ReturnData": shown}
        stat = {"Metric": self.metric, "Period": period, "Stat": self.statistic}
        return {"Id": self.id, "MetricStat": stat, "ReturnData": shown}


def _entry(number: int, line: list[Any], properties: Mapping[str, Any]) -> _Entry:
    rendering = line[-1] if isinstance(line[-1], dict) else {}
    identity = str(rendering.get("id") or f"q{number}")
    if "expression" in rendering:
        return _Entry(identity, rendering, rendering["expression"])
    namespace, name, *values = [item for item in line if isinstance(item, str)]
    dimensions = [{"Name": key, "Value": value} for key, value in zip(values[::2], values[1::2], strict=True)]
    metric = {"Namespace": namespace, "MetricName": name, "Dimensions": dimensions}
    statistic = rendering.get("stat") or properties.get("stat") or "Average"
    return _Entry(identity, rendering, metric=metric, statistic=statistic)


def _short(name: str, stack: str) -> str:
    """`mw-dev-penguins-ExecutionsFailedAlarm-1A2B` as `Executions failed`."""
    words = re.sub(r"Alarm(\d*)-\w+$", r" \1", name.removeprefix(f"{stack}-")).strip()
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", words)
    return text[:1] + text[1:].lower()
