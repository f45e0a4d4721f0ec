"""`modelwright destroy`: endpoint, models and stack gone; data kept unless `--data`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from modelwright.cli.platform import add_place, platform, read_what_can_be_read
from modelwright.client.deployment import describe_stack, stack_names
from modelwright.client.removal import environment as clearing
from modelwright.client.removal import pipeline as removal
from modelwright.errors import ModelwrightError, WrongUsage

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from modelwright.cli.platform import Platform

_SERVICES = ("cloudformation", "stepfunctions", "sagemaker", "cloudwatch", "dynamodb", "ssm")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("pipeline", nargs="?")
    parser.add_argument("--all", action="store_true", help="every pipeline that is deployed, also without a folder")
    parser.add_argument(
        "--data",
        action="store_true",
        help="also packages, releases, runs and data sets; with --all the data stacks, where `removal: destroy`",
    )
    parser.add_argument("--yes", action="store_true", help="do not ask")
    add_place(parser)


def run(args: argparse.Namespace) -> int:
    """Do it, look again, and say what is left."""
    if bool(args.pipeline) == args.all:
        raise WrongUsage("destroy takes the name of a pipeline, or --all.")
    project = read_what_can_be_read(args)
    if args.data and not args.yes:
        _ask(args)
    with platform(args, project, services=_SERVICES) as place:
        for line in _destroy(place, args):
            print(line, flush=True)
    return 0


def _destroy(place: Platform, args: argparse.Namespace) -> Iterator[str]:
    if args.all:
        return clearing.destroy_environment(place.session, place.project.environment, data=args.data)
    own = stack_names(place.environment, args.pipeline)[1:]
    if args.pipeline not in place.project.pipelines and not any(describe_stack(place.session, name) for name in own):
        place.project.pipeline(args.pipeline)  # neither a folder nor a stack of that name: says which are near
    return removal.destroy(place.session, place.environment, args.pipeline, data=args.data)


def _ask(args: argparse.Namespace) -> None:
    if not sys.stdin.isatty():
        raise WrongUsage("--data removes what cannot be brought back.", "Give --yes to say that you mean it.")
    what = "every pipeline" if args.all else args.pipeline
    where = f"{args.env} {'on AWS' if args.aws else 'on this machine'}"
    print(f"This removes the data sets, releases, runs and packages of {what} in {where} for good.")
    whose = "environment's" if args.all else "pipeline's"
    if input(f"The {whose} name, to go on: ").strip() != (args.env if args.all else args.pipeline):
        raise ModelwrightError("Nothing was removed.")
