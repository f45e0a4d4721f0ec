"""`modelwright release`: write the release of a folder, print its id."""

from __future__ import annotations

import argparse

from modelwright.cli.platform import add_place, platform


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("pipeline")
    parser.add_argument("--commit", metavar="SHA", help="the folder as it is at this commit, not as it lies here")
    parser.add_argument("--default", action="store_true", help="make it the release that schedules run")
    add_place(parser)


def run(args: argparse.Namespace) -> int:
    """Do it."""
    with platform(args, deploy=args.pipeline) as place:
        from modelwright.client import publishing  # noqa: PLC0415 - see run.py

        deployment, settings = place.deployment(args.pipeline), place.pipeline(args.pipeline)
        if args.commit:
            release = publishing.publish_commit(
                place.session, place.project, settings, deployment, args.commit, default=args.default
            )
        else:
            release = publishing.publish_folder(
                place.session, place.project, settings, deployment, default=args.default
            )
    print(release)
    return 0
