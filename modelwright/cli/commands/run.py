"""`modelwright run`: release the folder as it is, start an execution, watch it, print the result."""

from __future__ import annotations

import argparse

from modelwright.cli.following import follow
from modelwright.cli.platform import Platform, add_place, platform
from modelwright.client import executions
from modelwright.errors import ModelwrightError


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
    overrides = dict(map(_parameter, args.parameter))
    with platform(args, deploy=args.pipeline) as place:
        arn = _start(place, args.pipeline, overrides, args.data)
        return follow(place, args.pipeline, arn, as_json=args.json)


def _start(place: Platform, pipeline: str, overrides: dict[str, str], data: str | None) -> str:
    from modelwright.client import publishing  # noqa: PLC0415 - needs the settings, which load while the local cloud starts

    settings, deployment = place.pipeline(pipeline), place.deployment(pipeline)
    release = publishing.publish_folder(place.session, place.project, settings, deployment)
    request = {
        "schema": 1,
        "pipeline": pipeline,
        "release": release,
        "trigger": {"kind": "manual", "id": executions.new_trigger_id()},
        **({"data": publishing.publish_data(place.session, deployment, data)} if data else {}),
        **({"overrides": overrides} if overrides else {}),
    }
    return executions.start(place.session, deployment, request)


def _parameter(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign or not name:
        raise ModelwrightError(f"-p {text!r}: a hyperparameter is given as NAME=VALUE, for example -p C=0.5.")
    return name, value
