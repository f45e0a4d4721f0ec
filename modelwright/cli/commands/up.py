"""`modelwright up`: keep the local cloud running between commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelwright.cli.platform import add_environment, end_unwanted_scaling, local_endpoint, read_project
from modelwright.client.session import Session

if TYPE_CHECKING:
    import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_environment(parser)


def run(args: argparse.Namespace) -> int:
    """Do it."""
    from modelwright.client.deploys.synth import ensure_assembly  # noqa: PLC0415 # not needed for `--help`
    from modelwright.local.daemon.attach import attach  # noqa: PLC0415 # as above

    project = read_project(args)
    with attach(project.root, args.env) as local:
        local.deploy(ensure_assembly(project.root, args.env))
        session = Session(project.environment.region, lambda: local_endpoint(local))
        end_unwanted_scaling(session, project, list(project.pipelines))
        local.keep()
        print(f"The local cloud is up at {local.endpoint_url}; `modelwright down` stops it.")
    return 0
