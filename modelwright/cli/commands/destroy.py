"""`modelwright destroy`: endpoint, models and stack gone; data kept unless `--data`."""

from __future__ import annotations

import argparse
import sys

from modelwright.cli.platform import add_place, platform
from modelwright.client import removal
from modelwright.errors import ModelwrightError


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("pipeline")
    parser.add_argument(
        "--data", action="store_true", help="also packages, releases, runs and data sets of this pipeline"
    )
    parser.add_argument("--yes", action="store_true", help="do not ask")
    add_place(parser)


def run(args: argparse.Namespace) -> int:
    """Do it, and say what is left."""
    with platform(args) as place:
        deployment = place.deployment(args.pipeline)
        if args.data and not args.yes:
            _ask(args.pipeline)
        for line in removal.destroy(place.session, deployment, data=args.data):
            print(line)
    return 0


def _ask(pipeline: str) -> None:
    if not sys.stdin.isatty():
        raise ModelwrightError(
            "--data removes what cannot be brought back.", hint="Give --yes to say that you mean it."
        )
    if (
        input(f"This removes the data sets, releases, runs and packages of {pipeline} for good. Its name, to go on: ")
        != pipeline
    ):
        raise ModelwrightError("nothing was removed.")
