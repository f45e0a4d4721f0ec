"""What every command needs: the project's settings, and AWS's API - local or real."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Thread
from typing import TYPE_CHECKING

from modelwright.cli.terminal import Terminal
from modelwright.client.deployment import Deployment, find_deployment, stack_names
from modelwright.client.session import Endpoint, Session
from modelwright.errors import NotDeployed
from modelwright.project import find_root

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from modelwright.config import PipelineSettings, Project
    from modelwright.local.daemon.lease import LocalCloud

_DIM = "2"


@dataclass(frozen=True)
class Platform:
    """An open way to AWS's API, and what the project says."""

    project: Project
    session: Session
    local: LocalCloud | None = None
    """None with `--aws`."""

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

    def deployments(self, pipeline: str | None = None) -> list[Deployment]:
        """What is deployed of one pipeline, or of all that are deployed."""
        if pipeline:
            return [self.deployment(pipeline)]
        found = []
        for name in self.project.pipelines:
            try:
                found.append(self.deployment(name))
            except NotDeployed:
                continue  # nothing of it ran yet
        return found


def add_place(parser: argparse.ArgumentParser) -> None:
    """The arguments that say where: `--aws`, `--env`."""
    parser.add_argument("--aws", action="store_true", help="on AWS with your own credentials, not on this machine")
    add_environment(parser)


def add_environment(parser: argparse.ArgumentParser) -> None:
    """The argument `--env`."""
    default = _default_environment()
    parser.add_argument("--env", default=default, help=f"environments/<env>.yaml (default: {default})")


def _default_environment() -> str:
    return os.environ.get("MODELWRIGHT_ENV") or "dev"


def environment_option(args: argparse.Namespace) -> str:
    """What a command that a message names has to be given: ` --env prod`, or nothing where that is the default."""
    return "" if args.env == _default_environment() else f" --env {args.env}"


def read_project(args: argparse.Namespace) -> Project:
    """The project of the working directory, in the environment of `--env`; raises with all that is wrong in it."""
    from modelwright.config import load_project  # noqa: PLC0415 # not needed for `--help`

    return load_project(find_root(), args.env)


def read_what_can_be_read(args: argparse.Namespace) -> Project:
    """As `read_project`, for what looks at or ends what is deployed: one pipeline's mistake does not stop it."""
    from modelwright.config import load_project  # noqa: PLC0415 # as above

    found = load_project(find_root(), args.env, leave_out_wrong=True)
    for name, problems in found.left_out.items():
        if name == getattr(args, "pipeline", None):
            continue  # the error about the one that was asked for says it all
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        print(f"{name} is left out: {count} in its settings, the first: {problems[0]}", file=sys.stderr)
    return found


def on_aws(region: str, environment_option: str = "") -> Session:
    """AWS's API itself in a region, with the user's own credentials."""
    _say_where(os.environ.get("AWS_ENDPOINT_URL"))
    return Session(region, environment_option=environment_option)


def _say_where(url: str | None) -> None:
    """After `eval "$(modelwright env)"` every client of AWS's in that shell asks the local cloud, ours as well."""
    if not url:
        return
    from modelwright.local.daemon.attach import status  # noqa: PLC0415 # seldom needed

    found = status(find_root())
    if found is not None and found.endpoint_url == url:
        print(f"AWS_ENDPOINT_URL is {url}: in this shell --aws is about the local cloud, too.", file=sys.stderr)


@contextmanager
def platform(
    args: argparse.Namespace, project: Project, *, deploy: str | None = None, services: Sequence[str] = ()
) -> Iterator[Platform]:
    """Open the platform; the local cloud is started or joined.

    Args:
        args: parsed, with `add_place`'s.
        project: `read_project`'s: with wrong settings nothing is started.
        deploy: a pipeline whose stacks have to be there and up to date; on AWS a deploy is the user's own decision.
        services: whose API will be needed: what that takes is read while the local cloud starts.
    """
    if args.aws:
        session = on_aws(project.environment.region, environment_option(args))
        session.check_credentials()
        yield Platform(project, session)
        return
    from modelwright.local.daemon.attach import attach  # noqa: PLC0415 # not needed with --aws

    waiting = Terminal(sys.stderr)
    with attach(project.root, args.env) as local:
        session = Session(project.environment.region, lambda: _endpoint(local, waiting), environment_option(args))
        Thread(target=session.warm, args=(services,), name="warm", daemon=True).start()
        try:
            if deploy is not None and _deploy(project, local, deploy, waiting):
                end_unwanted_scaling(session, project, [deploy])
            yield Platform(project, session, local)
        except KeyboardInterrupt:
            waiting.clear()
            if not local.is_settled:
                print("the local cloud starts, then stops; Ctrl-C again to leave at once", file=sys.stderr)
            raise


def _endpoint(local: LocalCloud, waiting: Terminal) -> Endpoint:
    waiting.draw("  … starting the local cloud", _DIM)
    try:
        return local_endpoint(local)
    finally:
        waiting.clear()
        waiting.flush()


def local_endpoint(local: LocalCloud) -> Endpoint:
    """Where the local cloud answers, with its owner's keys; waits until it does."""
    return Endpoint(local.endpoint_url, local.credentials.access_key, local.credentials.secret_key)


def end_unwanted_scaling(session: Session, project: Project, pipelines: Sequence[str]) -> None:
    """After the template has changed: what `modelwright deploy` does on AWS with `autoscaling` that has gone."""
    from modelwright.client.removal.scaling import end_unwanted  # noqa: PLC0415 # seldom needed

    for line in end_unwanted(session, project.environment.name, [project.pipelines[name] for name in pipelines]):
        print(line, file=sys.stderr)


def _deploy(project: Project, local: LocalCloud, pipeline: str, waiting: Terminal) -> bool:
    """Deploy what the pipeline needs; whether the template was made anew for it."""
    from modelwright.client.deploys.synth import ensure_assembly, made_of  # noqa: PLC0415 # the cloud starts meanwhile

    before = made_of(project.root)
    try:
        waiting.draw("  … bringing the template up to date", _DIM)
        assembly = ensure_assembly(project.root, project.environment.name)
        waiting.draw("  … starting the local cloud", _DIM)
        local.deploy(assembly, revive=stack_names(project.environment.name, pipeline))
    finally:
        waiting.clear()
        waiting.flush()
    return made_of(project.root) != before
