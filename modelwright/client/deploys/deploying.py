"""Deploying to AWS: what would fail is found before, and what failed is said in CloudFormation's own words, once."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from modelwright.client import cdk
from modelwright.client.deployment import find_deployment, stack_names
from modelwright.client.deploys.stack_failures import latest_events, why
from modelwright.client.deploys.synth import synthesize
from modelwright.client.releases.publishing import publish_folder
from modelwright.errors import DeployFailed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from modelwright.client.session import Session
    from modelwright.config import PipelineSettings, Project

_OUTPUTS = "outputs.json"


@dataclass(frozen=True)
class Result:
    """What a deploy made."""

    outputs: dict[str, dict[str, str]]
    """By stack: empty for one that did not change."""
    releases: dict[str, str] = field(default_factory=dict)
    """By pipeline: the release that schedules run from now on."""


def make_assembly(root: Path, env: str, folder: Path) -> Path:
    """Synthesize with CDK's validation on, into a folder of its own: a local run writes `cdk.out`, too.

    Raises `SynthFailed`, with what the validation found as well.
    """
    import shutil  # noqa: PLC0415 # only when there is something to do

    assembly = folder / "assembly"
    shutil.rmtree(assembly, ignore_errors=True)
    synthesize(root, env, assembly, {"CDK_VALIDATION": "true"})
    return assembly


def request_for(
    project: Project, pipelines: Iterable[str], assembly: Path, *, import_existing: bool = False
) -> cdk.Request:
    """Return what is deployed for these pipelines: what all share, what each must not lose, each itself."""
    environment = project.environment
    stacks = dict.fromkeys(name for pipeline in pipelines for name in stack_names(environment.name, pipeline))
    return cdk.Request(assembly, tuple(stacks), environment.region, import_existing)


def deploy_stacks(project: Project, session: Session, request: cdk.Request, folder: Path, *, ask: bool) -> Result:
    """Deploy the stacks of `request`, in their order.

    Raises:
        DeployFailed: CDK's command line did not do it. When a stack says why, its reason is the message.
    """
    outputs = folder / _OUTPUTS
    outputs.unlink(missing_ok=True)
    before = latest_events(session, request.stacks)
    code = cdk.deploy(project.root, request, outputs, ask=ask)
    if code:
        raise why(session, project.environment.name, request.stacks, before) or DeployFailed(
            f"The CDK command line ended with {code} and no stack has failed: what it says stands above.",
            f"`modelwright doctor{session.options}` looks at everything that a deploy needs.",
        )
    found: dict[str, dict[str, str]] = json.loads(outputs.read_text("utf-8")) if outputs.is_file() else {}
    return Result(found)


def publish_defaults(
    session: Session, project: Project, pipelines: Mapping[str, PipelineSettings]
) -> Iterator[tuple[str, str]]:
    """Make each folder as it lies there what schedules and new data run, and yield pipeline and release."""
    for name, settings in pipelines.items():
        deployment = find_deployment(session, project.environment.name, name)
        yield name, publish_folder(session, project, settings, deployment, default=True)
