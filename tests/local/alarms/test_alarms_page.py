"""docs/alarms.md and the picture in it are those of today's template."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

from alarms_page import PAGE, alarms_table, metrics_watched, with_table
from template_queries import read_stack

if TYPE_CHECKING:
    from pathlib import Path


def test_the_table_of_alarms_is_todays(fullest_assembly: Path) -> None:
    text = PAGE.read_text("utf-8")
    assert with_table(text, alarms_table(fullest_assembly)) == text, "run `python tests/support/alarms_page.py`"


def test_each_widget_is_in_the_picture(assembly: Path) -> None:
    _, dashboard = read_stack(assembly, "mw-dev-penguins").one("AWS::CloudWatch::Dashboard")
    widgets = json.loads(dashboard["DashboardBody"])["widgets"]
    titles = {widget["properties"]["title"] for widget in widgets if "title" in widget["properties"]}
    drawn = {element.text for element in ET.parse(PAGE.parent / "dashboard.svg").iter()}
    assert titles <= drawn, "run `python tests/support/dashboard_picture.py`"


def test_alarms_cost_what_the_page_says(assembly: Path) -> None:
    assert 30 <= metrics_watched(assembly) <= 40
    assert "watches about 35" in PAGE.read_text("utf-8")
