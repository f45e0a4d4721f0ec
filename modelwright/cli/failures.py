"""Why a run or a state of it is not well, in a person's words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from modelwright.cli.alarm_notice import number
from modelwright.client.runs.history import reason

if TYPE_CHECKING:
    from modelwright.client.runs.executions import Run
    from modelwright.client.runs.history import History, StateRun

_LONGEST_REASON = 160
_ALARM_SENTENCE = re.compile(
    r"Threshold Crossed: [^[]*\[(?P<values>[^]]*)\] (?:was|were) "
    r"(?P<how>(?:greater|less) than(?: or equal to)?) the threshold \((?P<threshold>[^)]*)\)(?: \([^)]*\))?\.?"
)
"""https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html"""


def failure(error: str, cause: str) -> str:
    """An error's name and its reason, as far as there is one."""
    return f"{error}: {cause}" if cause else error


def refusal(state: StateRun) -> str:
    """Why a state that did its own work well says no to the new model: what the endpoint, or its shadow, did."""
    found = state.output if isinstance(state.output, dict) else {}
    if found.get("outcome") in {"RolledBack", "Failed"}:
        return failure(str(found["outcome"]), readable_reason(str(found.get("reason", ""))))
    return str(found.get("reason", "")) if found.get("good") is False else ""


def readable_reason(text: str) -> str:
    """What a run's cause says, an alarm's own sentence in it shortened to what was measured."""
    return _ALARM_SENTENCE.sub(_measured, text)


def _measured(found: re.Match[str]) -> str:
    values = ", ".join(number(value.split(" ")[0]) for value in found["values"].split(", "))
    return f"it measured {values}, which is {found['how']} {number(found['threshold'])}"


def restored(history: History) -> str:
    """What became of the endpoint, where the run had begun to change it."""
    visits = [state for state in history.states if state.name == "RestoreEndpoint"]
    if not visits:
        return ""
    found = visits[-1].output
    status = found.get("status") if isinstance(found, dict) else None
    return str(status) if status else f"not restored: {failure(visits[-1].error, reason(visits[-1].cause))}"


def left_behind(history: History) -> str:
    """What a run that ended early had done to the endpoint before; empty when nothing."""
    done = {state.name: state.status for state in history.states}
    if done.get("PromoteModel") == "succeeded":
        return "its model had been tested and promoted before that"
    if "succeeded" not in (done.get("CreateEndpoint"), done.get("UpdateEndpoint")):
        return ""
    promoted = "perhaps" if done.get("PromoteModel") in {"stopped", "running"} else "not"
    return f"changed before that, and {promoted} promoted"


def why(run: Run) -> str:
    """Why a run is not well, in a line; empty when it is, or goes on."""
    cause = reason(run.cause)
    error = "" if run.error == run.outcome else run.error
    text = failure(error, readable_reason(cause)) if error else readable_reason(cause)
    return "" if run.status in {"SUCCEEDED", "RUNNING"} else in_a_line(text)


def in_a_line(text: str) -> str:
    """The text without line breaks, cut where it gets long."""
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_REASON else f"{line[: _LONGEST_REASON - 3]}..."
