"""`modelwright runs`: what ran, newest first."""

from __future__ import annotations

import argparse
from itertools import islice

from modelwright.cli.platform import add_place, platform
from modelwright.cli.render import clock, print_json, run_as_json, seconds, table
from modelwright.client import executions


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("pipeline", nargs="?", help="only this pipeline's")
    parser.add_argument("-n", "--number", type=int, default=20, help="how many (default: 20)")
    parser.add_argument("--json", action="store_true", help="print a JSON list")
    add_place(parser)


def run(args: argparse.Namespace) -> int:
    """Do it."""
    with platform(args) as place:
        found = [
            executions.describe(place.session, deployment.pipeline, entry["executionArn"])
            for deployment in place.deployments(args.pipeline)
            for entry in islice(executions.executions(place.session, deployment), args.number)
        ]
    found = sorted(found, key=lambda item: item.started, reverse=True)[: args.number]
    if args.json:
        print_json([run_as_json(item) for item in found])
    elif not found:
        print("Nothing has run yet.")
    else:
        rows = [
            (item.run_id, item.pipeline, item.outcome, str(item.request.get("trigger", {}).get("kind", "")), clock(item.started),
             seconds((item.stopped - item.started).total_seconds()) if item.stopped else "")
            for item in found
        ]  # fmt: skip
        table(rows, ("RUN", "PIPELINE", "OUTCOME", "TRIGGER", "STARTED", "TOOK"))
    return 0
