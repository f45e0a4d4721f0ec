"""`modelwright status`: what is up and deployed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelwright.cli.endpoint_notes import endpoint_notes
from modelwright.cli.platform import add_place, platform, read_what_can_be_read
from modelwright.cli.render import clock, table
from modelwright.client.endpoints import api, expiry
from modelwright.client.endpoints import prediction as endpoint

if TYPE_CHECKING:
    import argparse

    from modelwright.config import Project

_HEADS = ("PIPELINE", "STACK", "KIND", "ENDPOINT", "STATUS")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_place(parser)


def run(args: argparse.Namespace) -> int:
    """Do it."""
    project = read_what_can_be_read(args)
    if not args.aws:
        print(_local(project))
    with platform(args, project, services=("cloudformation", "sagemaker", "stepfunctions")) as place:
        deployed = place.deployments()
        rows = [
            (
                item.pipeline,
                item.stack,
                place.pipeline(item.pipeline).deploy.endpoint,
                item.endpoint_name,
                endpoint.describe(place.session, item) or "none",
            )
            for item in deployed
        ]
        if rows:
            table(rows, _HEADS)
        else:
            print("Nothing is deployed.")
        for item, (*_, serves) in zip(deployed, rows, strict=True):
            end = expiry.ends_at(place.session, item) if serves != "none" else None
            if end:
                print(f"The endpoint of {item.pipeline} ends at {clock(end)}, unless it is deployed to before.")
        for item in deployed:
            for line in endpoint_notes(
                place.session, item, place.environment, place.pipeline(item.pipeline).deploy.endpoint
            ):
                print(line)
        for item in deployed:
            if item.api_url:
                print(f"The REST API of {item.pipeline}: {api.local_address(place.session, item.api_url)}")
    return 0


def _local(project: Project) -> str:
    from modelwright.local.daemon.attach import status  # noqa: PLC0415 # not needed with --aws

    found = status(project.root)
    if found is None:
        return "The local cloud is not up: each command starts it for itself, `modelwright up` keeps it."
    why = "until `modelwright down`" if found.kept else f"as long as it is in use: {'; '.join(found.clients)}"
    return f"The local cloud is up at {found.endpoint_url} (process {found.pid}) {why}."
