"""A dashboard with its data, and its picture: from a fake CloudWatch's answers to well-formed SVG."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from modelwright.client.dashboards.data import Board, Line, Panel, Range, read_dashboard
from modelwright.client.dashboards.svg import draw
from modelwright.errors import NotDeployed

START = datetime(2026, 11, 1, tzinfo=UTC)
TIME = Range(START, START + timedelta(hours=2))
BODY = {
    "widgets": [
        {"type": "text", "x": 0, "y": 0, "width": 24, "height": 2, "properties": {"markdown": "# a <b>\n[x](y) & `z`"}},
        {
            "type": "alarm",
            "x": 0,
            "y": 2,
            "width": 24,
            "height": 3,
            "properties": {
                "title": "Healthy?",
                "alarms": [
                    "arn:aws:cloudwatch:r:1:alarm:s-GoodAlarm-1",
                    "arn:aws:cloudwatch:r:1:alarm:s-BadThingsAlarm-2",
                ],
            },
        },
        {
            "type": "metric",
            "x": 0,
            "y": 5,
            "width": 12,
            "height": 6,
            "properties": {
                "title": "Latency",
                "region": "r",
                "metrics": [
                    ["N", "M", "D", "v", {"id": "m", "stat": "p99", "visible": False}],
                    [{"expression": "m / 1000", "id": "e", "label": "ms", "color": "#000000"}],
                    [{"expression": "SEARCH('{N,D}', 'Sum', 3600)", "id": "s", "label": ""}],
                ],
                "annotations": {"horizontal": [{"label": "alarm", "value": 5}]},
            },
        },
    ]
}


class FakeCloudWatch:
    def __init__(self) -> None:
        self.asked: dict[str, Any] = {}

    def get_dashboard(self, DashboardName: str) -> dict[str, Any]:  # noqa: N803 - boto3's
        assert DashboardName == "board"
        return {"DashboardBody": json.dumps(BODY)}

    def describe_alarms(self, AlarmNames: list[str], MaxRecords: int) -> dict[str, Any]:  # noqa: N803 - boto3's
        states = {"s-GoodAlarm-1": "OK", "s-BadThingsAlarm-2": "ALARM"}
        return {"MetricAlarms": [{"AlarmName": name, "StateValue": states[name]} for name in AlarmNames]}

    def get_metric_data(self, **asked: Any) -> dict[str, Any]:
        self.asked = asked
        found = {"s": ("accuracy", []), "e": ("m / 1000", [3.0])}
        return {
            "MetricDataResults": [
                {"Id": identity, "Label": label, "Timestamps": [START] * len(values), "Values": values}
                for identity, (label, values) in found.items()
            ]
        }


def session(cloudwatch: FakeCloudWatch, *resources: dict[str, str]) -> Any:
    formation = SimpleNamespace(describe_stack_resources=lambda StackName: {"StackResources": list(resources)})  # noqa: N803 - boto3's
    clients = {"cloudwatch": cloudwatch, "cloudformation": formation}
    return SimpleNamespace(client=clients.__getitem__)


BOARD = {"ResourceType": "AWS::CloudWatch::Dashboard", "PhysicalResourceId": "board"}
DEPLOYMENT: Any = SimpleNamespace(stack="s")


def test_each_widget_is_read_with_what_it_asks_for() -> None:
    cloudwatch = FakeCloudWatch()
    board = read_dashboard(session(cloudwatch, BOARD), DEPLOYMENT, TIME)
    text, alarms, graph = board.panels
    assert text.text.startswith("# a")
    assert alarms.alarms == (("Bad things", "ALARM"), ("Good", "OK"))
    assert [(line.label, [value for _, value in line.points], line.colour) for line in graph.lines] == [
        ("ms", [3.0], "#000000"),
        ("accuracy", [], None),
    ]
    assert graph.limits == (("alarm", 5.0),)


def test_metrics_are_asked_for_as_the_body_says_in_the_period_of_the_time() -> None:
    cloudwatch = FakeCloudWatch()
    read_dashboard(session(cloudwatch, BOARD), DEPLOYMENT, TIME)
    stat = {"Namespace": "N", "MetricName": "M", "Dimensions": [{"Name": "D", "Value": "v"}]}
    assert cloudwatch.asked["MetricDataQueries"] == [
        {"Id": "m", "MetricStat": {"Metric": stat, "Period": 60, "Stat": "p99"}, "ReturnData": False},
        {"Id": "e", "Expression": "m / 1000", "ReturnData": True},
        {"Id": "s", "Expression": "SEARCH('{N,D}', 'Sum', 60)", "ReturnData": True},
    ]


def test_a_stack_without_a_dashboard_is_said() -> None:
    with pytest.raises(NotDeployed, match="s has no dashboard"):
        read_dashboard(session(FakeCloudWatch()), DEPLOYMENT, TIME)


@pytest.mark.parametrize(
    ("hours", "seconds"), [(1, 60), (24, 300), (24 * 7, 3600), (24 * 28, 21_600), (24 * 90, 86_400)]
)
def test_the_longer_the_time_the_longer_the_periods(hours: int, seconds: int) -> None:
    assert Range(START, START + timedelta(hours=hours)).period_seconds == seconds


def test_the_picture_is_well_formed_and_the_same_for_the_same_data() -> None:
    board = read_dashboard(session(FakeCloudWatch(), BOARD), DEPLOYMENT, TIME)
    drawn = draw(board)
    texts = [element.text for element in ET.fromstring(drawn).iter() if element.text]
    assert {"a <b>", "x & z", "Bad things · on", "Good", "Latency", "ms 3", "alarm"} <= set(texts)
    assert draw(board) == drawn


@pytest.mark.parametrize("values", [[], [0.0], [0.0, 2.5], [1e-9], [5.0, 5.0], [1e7]])
@pytest.mark.parametrize("stacked", [True, False])
def test_any_values_are_drawn_inside_their_panel(values: list[float], *, stacked: bool) -> None:
    points = tuple((60.0 * number, value) for number, value in enumerate(values))
    lines = (Line("l", points), Line("r", points, right=not stacked))
    panel = Panel("metric", (0, 0, 12, 6), "t", lines=lines, stacked=stacked)
    for element in ET.fromstring(draw(Board((panel,), 0.0, 300.0))).iter():
        assert -1 <= float(element.get("y", element.get("cy", "0"))) <= 6 * 34 + 8
