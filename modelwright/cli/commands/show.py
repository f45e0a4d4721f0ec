"""`modelwright show`: one run, state by state."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from modelwright.cli.platform import add_place, platform, read_what_can_be_read
from modelwright.cli.render import clock, print_json, print_outcome, run_as_json, state_line
from modelwright.cli.terminal import Terminal
from modelwright.client.runs import executions
from modelwright.client.runs.history import reason

if TYPE_CHECKING:
    import argparse

    from modelwright.client.runs.history import History, StateRun

_SHORT = 200
_FIELDS = (
    "name", "kind", "status", "entered", "ended", "seconds", "attempts", "resource", "input", "parameters", "output",
    "error", "cause",
)  # fmt: skip


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("run", help="its id, or the beginning of it; `last` for the newest")
    parser.add_argument("state", nargs="?", help="only this state, with all of its input and output")
    parser.add_argument("--json", action="store_true", help="print a JSON document")
    add_place(parser)


def run(args: argparse.Namespace) -> int:
    """Do it."""
    with platform(args, read_what_can_be_read(args), services=("cloudformation", "stepfunctions")) as place:
        found = executions.find(place.session, place.deployments(), args.run)
        _show(found, executions.history(place.session, found.arn), args, place.session.options)
    return 0


def _show(found: executions.Run, history: History, args: argparse.Namespace, options: str) -> None:
    wanted: str | None = args.state
    states = history.visits(wanted) if wanted else history.states
    if args.json:
        print_json({**run_as_json(found), "states": [_as_json(state) for state in states]})
    elif wanted:
        for state in states:
            _print(state, whole=True)
    else:
        _print_all(found, history, options)


def _print_all(found: executions.Run, history: History, options: str) -> None:
    print_outcome(found, history, options)
    print(f"  started {clock(found.started)}, execution {found.name}")
    print(f"  input {_text(found.request, whole=False)}")
    for state in history.states:
        _print(state, whole=False)


def _print(state: StateRun, *, whole: bool) -> None:
    terminal = Terminal()
    terminal.line(state_line(state, terminal))
    values = [("request", state.parameters), ("output", state.output)]
    for name, value in [("input", state.input), *values] if whole else values:
        if value not in (None, {}, ""):
            print(_indented(f"{name}: {_text(value, whole=whole)}"))
    if state.cause:
        print(_indented(reason(state.cause)))


def _text(value: Any, *, whole: bool) -> str:
    text = json.dumps(value, indent=2 if whole else None, ensure_ascii=False)
    return text if whole or len(text) <= _SHORT else f"{text[: _SHORT - 3]}..."


def _indented(text: str) -> str:
    return "      " + text.strip("\n").replace("\n", "\n      ")


def _as_json(state: StateRun) -> dict[str, Any]:
    return {name: getattr(state, name) for name in _FIELDS}
