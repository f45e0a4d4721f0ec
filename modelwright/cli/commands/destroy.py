"""`modelwright destroy`: endpoint, models and stack gone; data kept unless `--data`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from modelwright.cli.platform import add_place, platform, read_project
from modelwright.client import removal
from modelwright.client.deployment import describe_stack, stack_names
from modelwright.errors import ModelwrightError, WrongUsage

if TYPE_CHECKING:
    import argparse

_SERVICES = ("cloudformation", "stepfunctions", "sagemaker", "dynamodb", "ssm")


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
    project = read_project(args)
    if args.data and not args.yes:
        _ask(args.pipeline)
    with platform(args, project, services=_SERVICES) as place:
        own = stack_names(place.environment, args.pipeline)[1:]
        if args.pipeline not in project.pipelines and not any(describe_stack(place.session, name) for name in own):
            project.pipeline(args.pipeline)  # neither a folder nor a stack of that name: says which are near
        for line in removal.destroy(place.session, place.environment, args.pipeline, data=args.data):
            print(line, flush=True)
    return 0


def _ask(pipeline: str) -> None:
    if not sys.stdin.isatty():
        raise WrongUsage("--data removes what cannot be brought back.", "Give --yes to say that you mean it.")
    print(f"This removes the data sets, releases, runs and packages of {pipeline} for good.")
    if input("Its name, to go on: ").strip() != pipeline:
        raise ModelwrightError("Nothing was removed.")
