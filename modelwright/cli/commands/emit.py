"""`modelwright emit`: send the event that a merge or a schedule sends, and follow the execution that its rule starts."""

from __future__ import annotations

import argparse
import time

from modelwright.cli.following import follow
from modelwright.cli.platform import Platform, add_place, platform
from modelwright.client import executions
from modelwright.client.deployment import Deployment
from modelwright.errors import ModelwrightError

_PATIENCE_SECONDS = 60.0


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("event", choices=("merge", "schedule"))
    parser.add_argument("pipeline")
    parser.add_argument(
        "--commit", metavar="SHA", default="HEAD", help="merge: the folder as it is at this commit (default: HEAD)"
    )
    parser.add_argument("--json", action="store_true", help="print the result as one JSON document")
    add_place(parser)


def run(args: argparse.Namespace) -> int:
    """Do it; 1 when the execution fails."""
    if args.event == "schedule" and args.aws:
        raise ModelwrightError("on AWS a schedule fires by itself; `modelwright run` starts an execution now.")
    with platform(args, deploy=args.pipeline) as place:
        deployment = place.deployment(args.pipeline)
        event = _merge(place, deployment, args) if args.event == "merge" else _schedule(place, deployment)
        arn = _started(place, deployment, event)
        return follow(place, args.pipeline, arn, as_json=args.json)


def _merge(place: Platform, deployment: Deployment, args: argparse.Namespace) -> str:
    from modelwright.client import events, publishing  # noqa: PLC0415 - see run.py

    settings = place.pipeline(args.pipeline)
    commit = publishing.resolve_commit(place.project.root, args.commit)
    release = publishing.publish_commit(place.session, place.project, settings, deployment, commit)
    return events.send_merge(
        place.session, deployment, branch=settings.triggers.merge_branch, commit=commit, release=release
    )


def _schedule(place: Platform, deployment: Deployment) -> str:
    """Locally a schedule can be fired at once; the default release is what a deploy published."""
    from modelwright.client import publishing  # noqa: PLC0415

    publishing.ensure_default(place.session, place.project, place.pipeline(deployment.pipeline), deployment)
    return str(place.local.fire_schedule(deployment.state_machine_arn))


def _started(place: Platform, deployment: Deployment, event: str) -> str:
    """The execution that the event started: EventBridge names it after the event."""
    until = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < until:
        for entry in executions.executions(place.session, deployment):
            if entry["name"].startswith(event):
                return str(entry["executionArn"])
            break_at = entry["startDate"]
            if (time.time() - break_at.timestamp()) > _PATIENCE_SECONDS * 2:
                break
        time.sleep(place.session.poll_seconds)
    raise ModelwrightError(
        f"event {event} started no execution within {_PATIENCE_SECONDS:.0f} s.",
        hint="`modelwright inbox` shows dead letters.",
    )
