"""`modelwright dashboard`: a pipeline's dashboard as a picture, and in one line whether all is well."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from modelwright.cli.arguments import positive
from modelwright.cli.platform import add_place, platform, read_what_can_be_read
from modelwright.clock import SystemClock

if TYPE_CHECKING:
    import argparse

    from modelwright.client.dashboards.data import Board


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("pipeline")
    parser.add_argument("--hours", type=positive, default=24, help="how far back it looks (default: 24)")
    parser.add_argument("--out", type=Path, metavar="FILE.svg", help="default: .modelwright/dashboard-<pipeline>.svg")
    add_place(parser)


def run(args: argparse.Namespace) -> int:
    """Do it."""
    from modelwright.client.dashboards.data import Range, read_dashboard  # noqa: PLC0415 # not needed for `--help`
    from modelwright.client.dashboards.svg import draw  # noqa: PLC0415 # as above

    project = read_what_can_be_read(args)
    project.pipeline(args.pipeline)
    out = args.out or project.root / ".modelwright" / f"dashboard-{args.pipeline}.svg"
    now = SystemClock().now()
    services = ("cloudformation", "cloudwatch", "stepfunctions")
    with platform(args, project, services=services) as place:
        time = Range(now - timedelta(hours=args.hours), now + timedelta(minutes=1))
        board = read_dashboard(place.session, place.deployment(args.pipeline), time)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(draw(board), encoding="utf-8")
    print(_health(args.pipeline, board))
    print(f"The dashboard is drawn in {out}")
    return 0


def _health(pipeline: str, board: Board) -> str:
    states = [state for panel in board.panels for state in panel.alarms]
    fired = [name for name, state in states if state == "ALARM"]
    if fired:
        return f"{pipeline}: {len(fired)} of {len(states)} alarms are on: {'; '.join(fired)}."
    return f"{pipeline}: none of its {len(states)} alarms is on."
