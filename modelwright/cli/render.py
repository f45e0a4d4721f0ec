"""How runs look in a terminal, and as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from modelwright.cli.failures import failure, in_a_line, left_behind, readable_reason, refusal, restored
from modelwright.cli.terminal import Terminal
from modelwright.client.runs.advice import next_step
from modelwright.client.runs.executions import run_id
from modelwright.client.runs.history import reason

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from modelwright.client.runs.executions import Run
    from modelwright.client.runs.history import History, StateRun

_GREEN, _RED, _YELLOW, _CYAN = "32", "31", "33", "36"
_MARKS = {
    "succeeded": ("✓", _GREEN),
    "failed": ("✗", _RED),
    "caught": ("!", _YELLOW),
    "stopped": ("■", _YELLOW),
    "running": ("…", _CYAN),
}
_ABSENT = {
    "InspectEndpoint": ("Could not find endpoint", "no endpoint yet"),
    "FindServingImage": ("ImageNotFoundException", "no image yet: it is built now"),
}
"""What a first run does not find, and goes on from: no mistake, so it must not look like one."""
_NAME_WIDTH = 22


def print_json(value: Any) -> None:
    """One JSON document on standard output."""
    print(json.dumps(value, indent=2, default=_moment))


def seconds(value: float | None, *, whole: bool = False) -> str:
    """A duration as a person reads it."""
    if value is None:
        return ""
    value = max(value, 0.0)
    if value < 60:
        return f"{value:.0f} s" if whole else f"{value:.2f} s"
    minutes, rest = divmod(round(value), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def clock(moment: datetime | None) -> str:
    """A moment in the reader's own time zone."""
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S") if moment else ""


def table(rows: Sequence[Sequence[str]], heads: Sequence[str]) -> None:
    """Left-aligned columns."""
    widths = [max(len(row[index]) for row in [heads, *rows]) for index in range(len(heads))]
    for row in [heads, *rows]:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def state_line(state: StateRun, terminal: Terminal) -> str:
    """One state in one line."""
    mark, colour = _MARKS[state.status]
    notes = [f"attempt {state.attempts}"] if state.attempts > 1 else []
    absent = _absent(state)
    if absent:
        mark, colour = _MARKS["succeeded"]
        notes.append(absent)
    elif refusal(state):
        mark, colour = _MARKS["failed"]
        notes.append(in_a_line(refusal(state)))
    elif state.error:
        notes.append(failure(state.error, in_a_line(reason(state.cause))))
    line = (
        f"  {terminal.colour(mark, colour)} {state.name:<{_NAME_WIDTH}} {seconds(state.seconds):>9}  {'  '.join(notes)}"
    )
    return line.rstrip()


def _absent(state: StateRun) -> str:
    """What is not there yet, where a state looked for it and the machine knows how to go on."""
    said, meaning = _ABSENT.get(state.name, ("", ""))
    return meaning if state.status == "caught" and said and said in f"{state.error} {state.cause}" else ""


def print_outcome(run: Run, history: History, options: str = "") -> None:
    """How a run stands: its outcome with its numbers, or why it failed and what to do next (`options`: where)."""
    terminal = Terminal()
    colour = {"SUCCEEDED": _GREEN, "RUNNING": _CYAN}.get(run.status, _RED)
    took = f" in {seconds(run.seconds)}" if run.stopped else ""
    same = f": as run {run_id(run.result['of'])}" if run.result.get("of") else ""
    terminal.line(f"{terminal.colour(run.outcome, colour)}  {run.pipeline} run {run.run_id}{took}{same}")
    _print_metrics(run.result.get("metrics") or {}, terminal)
    for clause in run.result.get("gate") or []:
        mark, code = _MARKS["succeeded" if clause["passed"] else "failed"]
        note = f"  ({clause['note']})" if clause.get("note") else ""
        terminal.line(f"  {terminal.colour(mark, code)} {clause['text']}: found {_number(clause.get('found'))}{note}")
    _print_model(run.result.get("model") or {}, terminal)
    if run.status not in {"SUCCEEDED", "RUNNING"}:
        _print_failure(run, history, options, terminal)


def _print_failure(run: Run, history: History, options: str, terminal: Terminal) -> None:
    error, cause = run.error or history.error, reason(run.cause or history.cause)
    terminal.line("  " + failure(error, readable_reason(cause)).replace("\n", "\n  "))
    step = next_step(error, cause, run.pipeline, options)
    if step:
        terminal.line(f"  {step}")
    if became := restored(history):
        terminal.line(f"  endpoint: {became}")
    elif left := left_behind(history):
        where = "" if left.startswith("its") else f": `modelwright status{options}` tells what serves"
        terminal.line(f"  endpoint: {left}{where}")
    logs = f"modelwright logs {run.run_id} {_failed_state(history, cause)}".rstrip()
    if error == "RolledBack":
        logs = f"modelwright logs {run.pipeline} --endpoint"
    terminal.line(f"  modelwright show {run.run_id}{options}; {logs}{options}")


def run_as_json(run: Run) -> dict[str, Any]:
    """What `--json` prints of a run."""
    return {
        "run": run.run_id,
        "pipeline": run.pipeline,
        "status": run.outcome,
        "execution": {"arn": run.arn, "status": run.status, "started": run.started, "stopped": run.stopped},
        "trigger": run.request.get("trigger"),
        "release": run.result.get("release") or run.request.get("release"),
        "metrics": run.result.get("metrics") or {},
        "gate": run.result.get("gate") or [],
        "modelPackageArn": run.result.get("modelPackageArn"),
        "endpoint": run.result.get("endpoint"),
        **({"model": run.result["model"]} if run.result.get("model") else {}),
        **({"of": run.result["of"]} if run.result.get("of") else {}),
        **({"error": run.error, "cause": reason(run.cause)} if run.error or run.cause else {}),
    }


def _failed_state(history: History, cause: str) -> str:
    """Where to look: the state that the cause begins with; empty when there is none."""
    name = cause.partition(":")[0]
    return name if any(state.name == name and (state.error or refusal(state)) for state in history.states) else ""


def _print_metrics(metrics: Mapping[str, Any], terminal: Terminal) -> None:
    numbers = {name: value for name, value in metrics.items() if isinstance(value, int | float)}
    if numbers:
        terminal.line("  " + "  ".join(f"{name} {_number(value)}" for name, value in numbers.items()))


def _print_model(model: Mapping[str, Any], terminal: Terminal) -> None:
    """What serves it, where that was decided by the model."""
    if model.get("serve") == "onnx":
        terminal.line("  compiled: the model answers the same as its script, and needs it no more")
    elif model.get("serve") == "framework" and model.get("reason"):
        terminal.line(f"  not compiled, AWS's image serves its script: {model['reason']}")
    elif model.get("reason"):
        terminal.line(f"  not compiled, its script serves it: {model['reason']}")


def _number(value: Any) -> str:
    if value is None:
        return "nothing"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _moment(value: Any) -> str:
    return str(value.isoformat()) if hasattr(value, "isoformat") else str(value)
