"""`modelwright run`: release the folder as it is, start an execution, watch it, print the result."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from modelwright.cli.platform import add_place, platform, read_project
from modelwright.errors import DataNotFound, WrongUsage

if TYPE_CHECKING:
    import argparse

    from modelwright.cli.platform import Platform

_SERVICES = ("cloudformation", "s3", "stepfunctions")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("pipeline")
    parser.add_argument(
        "-p", "--parameter", action="append", default=[], metavar="NAME=VALUE", help="a hyperparameter of this run only"
    )
    parser.add_argument("--data", metavar="FILE|s3://…", help="other data for this run only")
    parser.add_argument(
        "--traffic",
        metavar="50rps",
        help="send the smoke test's rows to the endpoint meanwhile, so many times a second",
    )
    parser.add_argument("--json", action="store_true", help="print the result as one JSON document")
    add_place(parser)


def run(args: argparse.Namespace) -> int:
    """Do it; 1 when the execution fails."""
    from modelwright.config.job_values import parse_overrides  # noqa: PLC0415 # not needed for `--help`

    rate = _rate(args)
    project = read_project(args)
    overrides = parse_overrides(args.parameter, project.pipeline(args.pipeline).train.hyperparameters)
    if args.data and not args.data.startswith("s3:") and not Path(args.data).exists():
        raise DataNotFound(f"--data {args.data}: there is no such file or folder.")
    with platform(args, project, deploy=args.pipeline, services=_SERVICES) as place:
        from modelwright.cli.following import follow  # noqa: PLC0415 # the local cloud starts meanwhile

        if rate is None:
            arn = _start(place, args.pipeline, overrides, args.data)
            return follow(place.session, args.pipeline, arn, as_json=args.json)
        from modelwright.cli.traffic_show import sending  # noqa: PLC0415 # as above

        with sending(place, args.pipeline, rate) as traffic:
            arn = _start(place, args.pipeline, overrides, args.data)
            return follow(place.session, args.pipeline, arn, as_json=args.json, traffic=traffic)


def _rate(args: argparse.Namespace) -> float | None:
    if args.traffic is None:
        return None
    from modelwright.client.endpoints.traffic import parse_rate  # noqa: PLC0415 # not needed for `--help`

    rate = parse_rate(args.traffic)
    if args.aws:
        raise WrongUsage(
            "--traffic is for the local cloud.",
            "On AWS they would be billed and counted with your callers' requests; use a load generator there.",
        )
    return rate


def _start(place: Platform, pipeline: str, overrides: dict[str, str], data: str | None) -> str:
    from modelwright.client.releases import publishing  # noqa: PLC0415 # the local cloud starts meanwhile
    from modelwright.client.runs import executions  # noqa: PLC0415 # the local cloud starts meanwhile
    from modelwright.config.execution import ExecutionInput, Trigger  # noqa: PLC0415 # as above

    deployment, session = place.deployment(pipeline), place.session
    request = ExecutionInput(
        pipeline,
        publishing.publish_folder(session, place.project, place.pipeline(pipeline), deployment),
        Trigger("manual", executions.new_trigger_id()),
        publishing.publish_data(session, deployment, data) if data else None,
        overrides,
    )
    try:
        return executions.start(session, deployment, request)
    except KeyboardInterrupt:  # it may have been started: the answer was not awaited
        executions.stop_named(session, deployment, request.trigger.id, "Ctrl-C")
        raise
