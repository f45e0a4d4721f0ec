"""`modelwright show`: one run, state by state."""

from __future__ import annotations

import argparse
import json
from typing import Any

from modelwright.cli.platform import add_place, platform
from modelwright.cli.render import clock, print_json, print_outcome, run_as_json, state_line
from modelwright.client import executions
from modelwright.client.history import History, StateRun, reason


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("run", help="its id, or the beginning of it; `last` for the newest")
    parser.add_argument("state", nargs="?", help="only this state, with all of its input and output")
    parser.add_argument("--json", action="store_true", help="print a JSON document")
    add_place(parser)


def run(args: argparse.Namespace) -> int:
    """Do it."""
    with platform(args) as place:
        found = executions.find(place.session, place.deployments(None), args.run)
        history = executions.history(place.session, found.arn)
    states = [state for state in history.states if args.state in {None, state.name}]
    if args.json:
        print_json({**run_as_json(found), "states": [_as_json(state) for state in states]})
    else:
        _print(found, history, states, whole=args.state is not None)
    return 0


def _print(found: executions.Run, history: History, states: list[StateRun], *, whole: bool) -> None:
    print_outcome(found, history)
    print(f"  started {clock(found.started)}, execution {found.name}")
    print(f"  input {_short(found.request, whole=whole)}")
    for state in states:
        print(state_line(state))
        for name, value in (("request", state.parameters), ("output", state.output)):
            if value not in (None, {}, ""):
                print(f"      {name}: {_short(value, whole=whole)}")
        if state.error:
            print("      " + reason(state.cause).replace("\n", "\n      "))


def _short(value: Any, *, whole: bool) -> str:
    text = json.dumps(value, indent=2 if whole else None)
    return text if whole or len(text) <= 200 else f"{text[:197]}..."


def _as_json(state: StateRun) -> dict[str, Any]:
    shown = (
        "name",
        "kind",
        "entered",
        "exited",
        "status",
        "seconds",
        "attempts",
        "resource",
        "parameters",
        "input",
        "output",
        "error",
        "cause",
    )
    return {key: getattr(state, key) for key in shown}
