"""What every command needs: the project's settings, and AWS's API - local or real."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelwright.client.deployment import Deployment, find_deployment, stack_name
from modelwright.client.session import Session
from modelwright.project import find_root

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from modelwright.config import PipelineSettings, Project


@dataclass
class Platform:
    """An open way to AWS's API, and what the project says."""

    project: Project
    session: Session
    local: Any = None  # the LocalCloud, unless --aws

    @property
    def environment(self) -> str:
        """The environment's name."""
        return self.project.environment.name

    def pipeline(self, name: str) -> PipelineSettings:
        """The settings of a pipeline; an unknown name is an error that tells the nearest."""
        return self.project.pipeline(name)

    def deployment(self, pipeline: str) -> Deployment:
        """What is deployed of it."""
        self.project.pipeline(pipeline)
        return find_deployment(self.session, self.environment, pipeline)

    def deployments(self, pipeline: str | None) -> list[Deployment]:
        """What is deployed of one pipeline, or of all that are deployed."""
        from modelwright.client.deployment import NotDeployedError  # noqa: PLC0415

        if pipeline:
            return [self.deployment(pipeline)]
        found = []
        for name in self.project.pipelines:
            try:
                found.append(self.deployment(name))
            except NotDeployedError:
                continue  # this one has not been deployed yet: nothing of it ran
        return found


def add_place(parser: argparse.ArgumentParser) -> None:
    """The arguments that say where: `--aws`, `--env`."""
    parser.add_argument("--aws", action="store_true", help="on AWS with your own credentials, not on this machine")
    parser.add_argument(
        "--env", default=os.environ.get("MODELWRIGHT_ENV", "dev"), help="environments/<env>.yaml (default: dev)"
    )


@contextmanager
def platform(args: argparse.Namespace, *, deploy: str | None = None) -> Iterator[Platform]:
    """Open the platform; the local cloud is started or joined.

    Args:
        args: parsed, with `add_place`'s.
        deploy: a pipeline whose stacks have to be there and up to date (locally; on AWS a deploy is the user's decision).
    """
    from modelwright.config import load_project  # noqa: PLC0415 - pydantic takes 0.1 s, and the local cloud starts meanwhile

    root = find_root()
    if args.aws:
        project = load_project(root, args.env)
        yield Platform(project, Session(project.environment.region))
        return
    from modelwright.local.attach import attach  # noqa: PLC0415 - not needed with --aws

    with attach(root, args.env) as local:
        project = load_project(root, args.env)
        if deploy is not None:
            project.pipeline(deploy)
            _deploy(root, args.env, local, deploy)
        keys = local.credentials
        yield Platform(
            project, Session(project.environment.region, local.endpoint_url, keys.access_key, keys.secret_key), local
        )


def _deploy(root: Path, environment: str, local: Any, pipeline: str) -> None:
    from modelwright.client.synth import ensure_assembly  # noqa: PLC0415

    stack = stack_name(environment, pipeline)
    shared = [f"mw-{environment}-data", f"{stack}-data"]
    local.deploy(ensure_assembly(root, environment), revive=[*shared, stack])
