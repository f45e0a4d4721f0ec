"""`modelwright release`: write the release of a folder, print its id; announce it as merged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelwright.cli.platform import add_place, platform, read_project
from modelwright.client.runs import events
from modelwright.errors import WrongUsage

if TYPE_CHECKING:
    import argparse

_SERVICES = ("cloudformation", "s3", "events")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("pipeline")
    parser.add_argument("--commit", metavar="SHA", help="the folder as it is at this commit, not as it lies here")
    parser.add_argument("--default", action="store_true", help="make it the release that schedules run")
    parser.add_argument("--announce", action="store_true", help="announce --commit as merged: its rule starts a run")
    add_place(parser)


def run(args: argparse.Namespace) -> int:
    """Do it."""
    if args.announce and not args.commit:
        raise WrongUsage("--announce needs --commit: a merge is announced by its commit.")
    project = read_project(args)
    settings = project.pipeline(args.pipeline)
    with platform(args, project, deploy=args.pipeline, services=_SERVICES) as place:
        from modelwright.client.releases import publishing  # noqa: PLC0415 # the local cloud starts meanwhile

        deployment, session = place.deployment(args.pipeline), place.session
        if args.commit:
            commit = publishing.resolve_commit(project.root, args.commit)
            release = publishing.publish_commit(session, project, settings, deployment, commit, default=args.default)
        else:
            release = publishing.publish_folder(session, project, settings, deployment, default=args.default)
        if args.announce:
            branch = settings.triggers.merge_branch
            events.send_merge(session, deployment, branch=branch, commit=commit, release=release)
        print(release)
    return 0
