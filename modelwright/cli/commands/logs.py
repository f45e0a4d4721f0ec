"""`modelwright logs`: what a run's scripts printed, or what serves a model."""

from __future__ import annotations

import sys
import time
from datetime import timedelta
from typing import TYPE_CHECKING

from modelwright.cli.arguments import duration
from modelwright.cli.platform import add_place, platform, read_what_can_be_read
from modelwright.cli.render import clock
from modelwright.client.runs import executions
from modelwright.client.runs.logs import LogReader
from modelwright.clock import SystemClock
from modelwright.errors import NotSupported, WrongUsage

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from modelwright.cli.platform import Platform
    from modelwright.client.runs.history import History
    from modelwright.client.session import Session

_SERVICES = ("cloudformation", "stepfunctions", "logs")
_HOUR = timedelta(hours=1)
_LOOKS = 5
"""A look at the logs costs more than one at the history: it comes so many times less often"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.usage = "%(prog)s RUN [STATE] [-f] | %(prog)s PIPELINE [VARIANT] --endpoint [--since 1h] [-f]"
    parser.add_argument("run", help="a run's id, or the beginning of it; `last` for the newest; or a pipeline")
    parser.add_argument("state", nargs="?", help="only this state's, or this variant's")
    parser.add_argument("--endpoint", action="store_true", help="what the pipeline's endpoint printed")
    parser.add_argument(
        "--since", type=duration, metavar="1h", help="with --endpoint, how far back: 30s, 10m, 2h, 7d (default: 1h)"
    )
    parser.add_argument("-f", "--follow", action="store_true", help="go on until the run ends; an endpoint's: Ctrl-C")
    add_place(parser)


def run(args: argparse.Namespace) -> int:
    """Do it."""
    if args.since and not args.endpoint:
        raise WrongUsage("--since is for --endpoint.", "A run's log is printed whole; name a state to see less of it.")
    with platform(args, read_what_can_be_read(args), services=_SERVICES) as place:
        if args.endpoint:
            print_endpoint_logs(place, args.run, args.state, args.since or _HOUR, follow=args.follow)
            return 0
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


def print_endpoint_logs(
    place: Platform,
    pipeline: str,
    variant: str | None,
    back: timedelta,
    *,
    follow: bool,
) -> None:
    """Print the lines of a pipeline's endpoint from `back` on; with `follow` until Ctrl-C.

    Raises:
        NotSupported: its kind of deployment has no endpoint.
    """
    if place.pipeline(pipeline).deploy.endpoint == "none":
        hint = f"What its runs printed: `modelwright runs {pipeline}`, then `modelwright logs RUN`."
        raise NotSupported(f"{pipeline} has deploy.endpoint: none, so no endpoint that could print anything.", hint)
    name, since, reader = place.deployment(pipeline).endpoint_name, SystemClock().now() - back, LogReader(place.session)
    printed = False
    while True:
        for stream, line in reader.new_lines_of_endpoint(name, variant, since):
            print(f"{stream} | {line}")
            printed = True
        sys.stdout.flush()
        if not follow:
            break
        time.sleep(place.session.poll_seconds * _LOOKS)
    if not printed:
        of = f" of {variant}" if variant else ""
        hint = "--since 7d looks further back."
        print(f"No line{of} in the log of {name} since {clock(since)}; {hint}", file=sys.stderr)


def _print(reader: LogReader, history: History, wanted: str | None, *, may_come: bool) -> None:
    if wanted and not (may_come and wanted not in {state.name for state in history.states}):
        states = history.visits(wanted)
    else:
        states = [] if wanted else history.states
    for state in states:
        for line in reader.new_lines(state):
            print(f"{state.name} | {line}")
    sys.stdout.flush()
