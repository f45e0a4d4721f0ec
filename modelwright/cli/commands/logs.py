"""`modelwright logs`: what a run's scripts printed."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from modelwright.cli.platform import add_place, platform, read_what_can_be_read
from modelwright.client import executions
from modelwright.client.logs import LogReader

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from modelwright.client.history import History
    from modelwright.client.session import Session

_SERVICES = ("cloudformation", "stepfunctions", "logs")
_LOOKS = 5
"""A look at the logs costs more than one at the history: it comes so many times less often"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("run", help="its id, or the beginning of it; `last` for the newest")
    parser.add_argument("state", nargs="?", help="only this state's")
    parser.add_argument("--follow", action="store_true", help="go on until the run ends")
    add_place(parser)


def run(args: argparse.Namespace) -> int:
    """Do it."""
    with platform(args, read_what_can_be_read(args), services=_SERVICES) as place:
        found = executions.find(place.session, place.deployments(), args.run)
        print_logs(place.session, found, args.state, follow=args.follow)
    return 0


def print_logs(
    session: Session,
    found: executions.Run,
    wanted: str | None,
    *,
    follow: bool,
    pause: Callable[[float], None] = time.sleep,
) -> None:
    """Print the lines of a run, or of one of its states; with `follow` until the run is over."""
    reader = LogReader(session)
    while True:
        history = executions.history(session, found.arn)
        goes_on = follow and not history.ended
        _print(reader, history, wanted, may_come=goes_on)
        if not goes_on:
            break
        pause(session.poll_seconds * _LOOKS)
    if follow:  # the last lines come a moment after the end
        pause(session.poll_seconds * _LOOKS)
        _print(reader, history, wanted, may_come=False)


def _print(reader: LogReader, history: History, wanted: str | None, *, may_come: bool) -> None:
    if wanted and not (may_come and wanted not in {state.name for state in history.states}):
        states = history.visits(wanted)
    else:
        states = [] if wanted else history.states
    for state in states:
        for line in reader.new_lines(state):
            print(f"{state.name} | {line}")
    sys.stdout.flush()
