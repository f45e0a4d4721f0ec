"""`modelwright status`: what is up and deployed."""

from __future__ import annotations

import argparse

from modelwright.cli.platform import add_place, platform
from modelwright.cli.render import table
from modelwright.project import find_root


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_place(parser)


def run(args: argparse.Namespace) -> int:
    """Do it."""
    if not args.aws:
        from modelwright.local.attach import status  # noqa: PLC0415

        found = status(find_root())
        print(
            f"The local cloud is up at {found.endpoint_url}."
            if found
            else "The local cloud is not up; each command starts it for itself."
        )
    with platform(args) as place:
        rows = [
            (item.pipeline, item.stack, *_endpoint(place.session, item.endpoint_name))
            for item in place.deployments(None)
        ]
    if rows:
        table(rows, ("PIPELINE", "STACK", "ENDPOINT", "STATUS"))
    else:
        print("Nothing is deployed.")
    return 0


def _endpoint(session: object, name: str) -> tuple[str, str]:
    from botocore.exceptions import ClientError  # noqa: PLC0415

    try:
        return name, session.client("sagemaker").describe_endpoint(EndpointName=name)["EndpointStatus"]  # type: ignore[attr-defined]
    except ClientError as error:
        if "Could not find" not in error.response["Error"]["Message"]:
            raise
        return name, "none"
