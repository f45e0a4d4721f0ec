"""`modelwright run`: release the folder as it is, start an execution, watch it, print the result."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelwright.cli.following import follow
from modelwright.cli.platform import Platform, add_place, platform
from modelwright.client import executions

if TYPE_CHECKING:
    import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("pipeline")
    parser.add_argument(
        "-p", "--parameter", action="append", default=[], metavar="NAME=VALUE", help="a hyperparameter of this run only"
    )
    parser.add_argument("--data", metavar="FILE|s3://…", help="other data for this run only")
    parser.add_argument("--json", action="store_true", help="print the result as one JSON document")
    add_place(parser)


def run(args: argparse.Namespace) -> int:
    """Do it; 1 when the execution fails."""
    with platform(args, deploy=args.pipeline) as place:
        return follow(place, args.pipeline, _start(place, args), as_json=args.json)


def _start(place: Platform, args: argparse.Namespace) -> str:
    # these need the settings, which load while the local cloud starts
    from modelwright.client import publishing  # noqa: PLC0415
    from modelwright.config.execution import ExecutionInput, Trigger  # noqa: PLC0415
    from modelwright.config.job_values import parse_overrides  # noqa: PLC0415

    settings, deployment = place.pipeline(args.pipeline), place.deployment(args.pipeline)
    overrides = parse_overrides(args.parameter, settings.train.hyperparameters)
    data = publishing.publish_data(place.session, deployment, args.data) if args.data else None
    release = publishing.publish_folder(place.session, place.project, settings, deployment)
    trigger = Trigger("manual", executions.new_trigger_id())
    request = ExecutionInput(args.pipeline, release, trigger, data, overrides)
    return executions.start(place.session, deployment, request.to_dict())
