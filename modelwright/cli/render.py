"""How runs look in a terminal."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from modelwright.client.history import reason

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from modelwright.client.executions import Run
    from modelwright.client.history import History, StateRun

_MARKS = {"succeeded": ("✓", "32"), "failed": ("✗", "31"), "caught": ("!", "33"), "running": ("…", "36")}


def coloured(text: str, code: str, stream: Any = None) -> str:
    """The text in a colour, where the stream is a terminal."""
    return f"\033[{code}m{text}\033[0m" if (stream or sys.stdout).isatty() else text


def print_json(value: Any) -> None:
    """One JSON document on standard output."""
    print(json.dumps(value, indent=2, default=str))


def seconds(value: float | None) -> str:
    """A duration as a person reads it."""
    if value is None:
        return ""
    return f"{value:.2f} s" if value < 60 else f"{int(value // 60)} min {int(value % 60)} s"


def clock(moment: datetime | None) -> str:
    """A moment in the reader's own time zone."""
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S") if moment else ""


def table(rows: Sequence[Sequence[str]], heads: Sequence[str]) -> None:
    """Left-aligned columns."""
    widths = [max(len(row[index]) for row in [heads, *rows]) for index in range(len(heads))]
    for row in [heads, *rows]:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


class Live:
    """Follows an execution on a stream: a line a finished state, and on a terminal the running one below."""

    def __init__(self, stream: Any) -> None:
        self._stream, self._shown = stream, False

    def __call__(self, history: History, ended: list[StateRun]) -> None:
        """Show what changed."""
        self.clear()
        for state in ended:
            print(state_line(state, self._stream), file=self._stream)
        running = [state for state in history.states if state.exited is None]
        if running and self._stream.isatty():
            self._stream.write(coloured(f"  … {running[-1].name}", "36", self._stream))
            self._shown = True
        self._stream.flush()

    def clear(self) -> None:
        """Take the running state's line away."""
        if self._shown:
            self._stream.write("\r\033[K")
            self._shown = False


def state_line(state: StateRun, stream: Any = None) -> str:
    """One state in one line."""
    mark, colour = _MARKS[state.status]
    notes = [f"attempt {state.attempts}"] if state.attempts > 1 else []
    if state.error:
        notes.append(f"{state.error}: {_first_line(reason(state.cause))}")
    return (
        f"  {coloured(mark, colour, stream)} {state.name:<22} {seconds(state.seconds):>9}  {'  '.join(notes)}".rstrip()
    )


def _first_line(text: str) -> str:
    line = (text.strip().splitlines() or [""])[0]
    return line if len(line) <= 160 else f"{line[:157]}..."


def print_outcome(run: Run, history: History) -> None:
    """How a run ended, with its numbers and what to do next."""
    took = (run.stopped - run.started).total_seconds() if run.stopped else None
    colour = "32" if run.status == "SUCCEEDED" else "31"
    print(f"{coloured(run.outcome, colour)}  {run.pipeline} run {run.run_id} in {seconds(took)}")
    _print_metrics(run.result.get("metrics", {}))
    for clause in run.result.get("gate", []):
        mark, code = ("✓", "32") if clause["passed"] else ("✗", "31")
        note = f"  ({clause['note']})" if clause.get("note") else ""
        print(f"  {coloured(mark, code)} {clause['text']}: found {_number(clause.get('found'))}{note}")
    if run.status != "SUCCEEDED":
        print(f"  {history.error or run.error}: {reason(history.cause or run.cause)}")
        print(f"  modelwright show {run.run_id}; modelwright logs {run.run_id}")


def _print_metrics(metrics: Mapping[str, Any]) -> None:
    numbers = {name: value for name, value in metrics.items() if isinstance(value, int | float)}
    if numbers:
        print("  " + "  ".join(f"{name} {_number(value)}" for name, value in numbers.items()))


def _number(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def run_as_json(run: Run) -> dict[str, Any]:
    """What `--json` prints of a run."""
    return {
        "run": run.run_id,
        "pipeline": run.pipeline,
        "status": run.outcome,
        "execution": {"arn": run.arn, "status": run.status, "started": run.started, "stopped": run.stopped},
        "trigger": run.request.get("trigger"),
        "release": run.result.get("release") or run.request.get("release"),
        "metrics": run.result.get("metrics", {}),
        "gate": run.result.get("gate", []),
        "modelPackageArn": run.result.get("modelPackageArn"),
        "endpoint": run.result.get("endpoint"),
        **({"error": run.error, "cause": reason(run.cause)} if run.error else {}),
    }
