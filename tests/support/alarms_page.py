"""The table in `docs/alarms.md`, from the template of the pipeline that has every alarm.

`python tests/support/alarms_page.py` writes it anew; a test fails when it is stale.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parent))

from alarm_stage import fullest_project
from template_queries import read_stacks

from modelwright.cli.alarm_notice import SIGNS, measured_quantity, number
from modelwright.client.deploys.synth import ensure_assembly
from modelwright.local.monitoring.notice import trigger

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = Path(__file__).resolve().parents[2] / "docs" / "alarms.md"
BEGIN, END = "<!-- alarms: begin -->", "<!-- alarms: end -->"
MISSING = {"notBreaching": "all is well", "breaching": "the alarm's case", "ignore": "nothing new: the state stays"}
HEAD = "| alarm | goes off when | no data is | what it says | what to do |"


def alarms_table(assembly: Path) -> str:
    """Every alarm: the environment's, then the pipeline's by name."""
    return "\n".join([HEAD, "|---|---|---|---|---|", *_rows(assembly)])


def _rows(assembly: Path) -> Iterator[str]:
    for stack in read_stacks(assembly):
        for logical_id, alarm in sorted(stack.all("AWS::CloudWatch::Alarm").items()):
            what, _, to_do = alarm["AlarmDescription"].partition(" What to do: ")
            cells = (f"`{logical_id}`", _when(alarm), MISSING[alarm["TreatMissingData"]], what, to_do)
            yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _when(alarm: dict[str, Any]) -> str:
    sign, threshold = SIGNS[alarm["ComparisonOperator"]], number(alarm["Threshold"])
    text = f"{measured_quantity(trigger(alarm))} {sign} {threshold}"
    periods, needed = alarm["EvaluationPeriods"], alarm.get("DatapointsToAlarm")
    if needed:
        return f"{text}, {needed} times of {periods}"
    return text if periods == 1 else f"{text}, {periods} times in a row"


def with_table(text: str, table: str) -> str:
    """The page with this table."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table}\n{END}{after}"


def metrics_watched(assembly: Path) -> int:
    """How many metrics all alarms watch: what CloudWatch bills by."""
    alarms = [alarm for stack in read_stacks(assembly) for alarm in stack.all("AWS::CloudWatch::Alarm").values()]
    return sum(len([entry for entry in alarm.get("Metrics", []) if "MetricStat" in entry]) or 1 for alarm in alarms)


def main() -> None:
    """Write the page."""
    with tempfile.TemporaryDirectory() as folder:
        table = alarms_table(ensure_assembly(fullest_project(Path(folder) / "project"), "dev"))
    PAGE.write_text(with_table(PAGE.read_text("utf-8"), table), "utf-8")


if __name__ == "__main__":
    main()
