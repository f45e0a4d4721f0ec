"""`modelwright logs`: what a run's scripts printed."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from typing import Any

from modelwright.cli.platform import add_place, platform
from modelwright.client import executions, logs
from modelwright.errors import ModelwrightError


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("run", help="its id, or the beginning of it; `last` for the newest")
    parser.add_argument("state", nargs="?", help="only this state's")
    parser.add_argument("--follow", action="store_true", help="go on until the run ends")
    add_place(parser)


def run(args: argparse.Namespace) -> int:
    """Do it."""
    with platform(args) as place:
        found = executions.find(place.session, place.deployments(None), args.run)
        printed: dict[str, set[Any]] = {}
        for history, running in _looks(place.session, found, follow=args.follow):
            names = [state.name for state in history.states]
            if args.state and not running and args.state not in names:
                raise ModelwrightError(
                    f"run {found.run_id} has no state {args.state!r}.",
                    hint=f"It went through {', '.join(dict.fromkeys(names))}.",
                )
            for state in history.states:
                if args.state in {None, state.name}:
                    _print(place.session, state, printed)
    return 0


def _looks(session: Any, found: executions.Run, *, follow: bool) -> Iterator[tuple[executions.History, bool]]:
    """The history now, and with `follow` again and again until the run is over."""
    while True:
        running = follow and executions.describe(session, found.pipeline, found.arn).status == "RUNNING"
        yield executions.history(session, found.arn), running
        if not running:
            return
        time.sleep(session.poll_seconds * 5)


def _print(session: Any, state: Any, printed: dict[str, set[Any]]) -> None:
    for place in logs.places(session, state):
        seen = printed.setdefault(f"{place.group} {place.stream}", set())
        for event in logs.events(session, place):
            if event.key not in seen:
                seen.add(event.key)
                print(f"{state.name} | {event.text}")
