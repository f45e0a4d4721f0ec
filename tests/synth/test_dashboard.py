"""The dashboard's body: as AWS's page says, and each question of its readers has a widget."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from dashboard_structure import SCHEMA
from template_queries import Stack, read_stack

if TYPE_CHECKING:
    from pathlib import Path

MOST_METRICS = 2500
"""of a dashboard: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html"""


@pytest.fixture(scope="module")
def stack(assembly: Path) -> Stack:
    return read_stack(assembly, "mw-dev-penguins")


@pytest.fixture(scope="module")
def body(stack: Stack) -> dict[str, Any]:
    _, found = stack.one("AWS::CloudWatch::Dashboard")
    made: dict[str, Any] = json.loads(found["DashboardBody"])
    return made


def titled(body: dict[str, Any], beginning: str) -> dict[str, Any]:
    (found,) = (each for each in body["widgets"] if each["properties"].get("title", "").startswith(beginning))
    properties: dict[str, Any] = found["properties"]
    return properties


def test_it_is_as_the_page_says(body: dict[str, Any]) -> None:
    jsonschema.validate(body, SCHEMA)
    assert sum(len(widget["properties"].get("metrics", [])) for widget in body["widgets"]) < MOST_METRICS


@pytest.mark.parametrize(
    "change",
    [
        {"type": "picture"},
        {"x": 24},
        {"height": 0},
        {"properties": {"metrics": [["AWS/States", "M", {"colour": "#000000"}]], "region": "r"}},
        {"properties": {"metrics": []}},
    ],
)
def test_what_the_page_does_not_say_fails(body: dict[str, Any], change: dict[str, Any]) -> None:
    graph = next(widget for widget in body["widgets"] if widget["type"] == "metric")
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"widgets": [graph | change]}, SCHEMA)


def test_widgets_fill_their_rows_and_cover_each_other_nowhere(body: dict[str, Any]) -> None:
    taken: set[tuple[int, int]] = set()
    for widget in body["widgets"]:
        columns = range(widget["x"], widget["x"] + widget["width"])
        cells = set(itertools.product(columns, range(widget["y"], widget["y"] + widget["height"])))
        assert columns.stop <= 24
        assert not taken & cells
        taken |= cells
    assert {x for x, _ in taken} == set(range(24))


def test_every_alarm_of_the_pipeline_is_shown(stack: Stack, body: dict[str, Any]) -> None:
    shown = titled(body, "Healthy?")["alarms"]
    assert set(shown) == {f"<{name}.Arn>" for name in stack.all("AWS::CloudWatch::Alarm")}


def test_lines_are_of_this_pipeline_alone(stack: Stack, body: dict[str, Any]) -> None:
    machine, _ = stack.one("AWS::StepFunctions::StateMachine")
    own = {f"<{machine}>", "mw-dev-penguins", "AllTraffic", "dev", "penguins"}
    for widget in body["widgets"]:
        for namespace, _, *rest in (line for line in widget["properties"].get("metrics", []) if len(line) > 1):
            dimensions = [item for item in rest if isinstance(item, str)]
            assert set(dimensions[1::2]) <= own, namespace


def test_all_metrics_of_the_evaluation_are_found_and_what_is_ours_is_none_of_them(body: dict[str, Any]) -> None:
    (search, *_), *_ = titled(body, "How good")["metrics"]
    assert search["expression"] == (
        'SEARCH(\'{Modelwright,Environment,Pipeline} Environment="dev" Pipeline="penguins" '
        "NOT MetricName=\"GateFloorsMissed\"', 'Average', 3600)"
    )


def test_times_are_shown_in_units_of_people(body: dict[str, Any]) -> None:
    def expressions(title: str) -> set[str]:
        lines = titled(body, title)["metrics"]
        return {line[0]["expression"] for line in lines if isinstance(line[0], dict)}

    assert expressions("Minutes that a run took") == {"average / 60000", "longest / 60000"}  # of milliseconds
    assert expressions("Milliseconds in the model") == {"p50 / 1000", "p99 / 1000"}  # of microseconds


def test_steps_are_read_from_the_state_machines_own_log(stack: Stack, body: dict[str, Any]) -> None:
    _, group = stack.one("AWS::Logs::LogGroup", LogGroupName="/aws/vendedlogs/states/mw-dev-penguins")
    assert titled(body, "Seconds by step")["query"].startswith(f"SOURCE '{group['LogGroupName']}' |")
