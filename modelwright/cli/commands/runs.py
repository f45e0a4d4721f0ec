"""`modelwright runs`: what ran, newest first."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from modelwright.cli.arguments import positive
from modelwright.cli.failures import why
from modelwright.cli.platform import add_place, platform, read_what_can_be_read
from modelwright.cli.render import clock, print_json, run_as_json, seconds, table
from modelwright.client.runs import executions

if TYPE_CHECKING:
    import argparse

    from modelwright.cli.platform import Platform

_HEADS = ("RUN", "PIPELINE", "OUTCOME", "TRIGGER", "STARTED", "TOOK", "REASON")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("pipeline", nargs="?", help="only this pipeline's")
    parser.add_argument("-n", "--number", type=positive, default=20, help="how many (default: 20)")
    parser.add_argument("--json", action="store_true", help="print a JSON list")
    add_place(parser)


def run(args: argparse.Namespace) -> int:
    """Do it."""
    project = read_what_can_be_read(args)
    if args.pipeline:
        project.pipeline(args.pipeline)
    with platform(args, project, services=("cloudformation", "stepfunctions")) as place:
        _print(newest(place, args.pipeline, args.number), as_json=args.json)
    return 0


def newest(place: Platform, pipeline: str | None, number: int) -> list[executions.Run]:
    """The newest runs of one pipeline or of all, the newest first."""
    entries = [
        (entry["startDate"], deployment.pipeline, entry["executionArn"])
        for deployment in place.deployments(pipeline)
        for entry in islice(executions.executions(place.session, deployment), number)
    ]
    entries.sort(reverse=True)
    return [executions.describe(place.session, name, arn) for _, name, arn in entries[:number]]


def _print(found: list[executions.Run], *, as_json: bool) -> None:
    if as_json:
        print_json([run_as_json(item) for item in found])
    elif found:
        table([_row(item) for item in found], _HEADS)
    else:
        print("Nothing has run yet.")


def _row(run: executions.Run) -> tuple[str, ...]:
    trigger = str((run.request.get("trigger") or {}).get("kind", ""))
    return run.run_id, run.pipeline, run.outcome, trigger, clock(run.started), seconds(run.seconds), why(run)
