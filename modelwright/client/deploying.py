"""Deploying to AWS: what would fail is found before, and what failed is said in CloudFormation's own words, once."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from modelwright.client import cdk
from modelwright.client.deployment import describe_stack, find_deployment, stack_names
from modelwright.client.publishing import publish_folder
from modelwright.client.stack_states import GOOD, IN_PROGRESS, next_step
from modelwright.client.synth import synthesize
from modelwright.errors import DeployFailed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from modelwright.client.session import Session
    from modelwright.config import PipelineSettings, Project

_FAILED = frozenset({"CREATE_FAILED", "UPDATE_FAILED", "DELETE_FAILED", "IMPORT_FAILED"})
_ECHO = ("Resource creation cancelled", "Resource update cancelled", "The following resource(s) failed")
"""What CloudFormation says of resources that failed because another one did."""
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
    code = cdk.deploy(project.root, request, outputs, ask=ask)
    if code:
        raise why(session, project.environment.name, request.stacks) or DeployFailed(
            f"The CDK command line ended with {code} and no stack has failed: what it says stands above.",
            "`modelwright doctor --aws` looks at everything that a deploy needs.",
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


def why(session: Session, environment: str, stacks: Iterable[str]) -> DeployFailed | None:
    """Return the first thing that went wrong in the first of the stacks that is not well; None when all are."""
    for name in stacks:
        stack = describe_stack(session, name)
        if stack is None:
            continue
        event = _first_failure(session, name)
        step = next_step(name, stack["StackStatus"], environment)
        if stack["StackStatus"] in GOOD and event is None:
            continue
        return DeployFailed(f"The stack {name} is {stack['StackStatus']}: {_cause(stack, event)}", step or _AGAIN)
    return None


def _cause(stack: Mapping[str, Any], event: Mapping[str, Any] | None) -> str:
    if event:
        return _said(event)
    if stack["StackStatus"] in IN_PROGRESS:
        return "another deploy or removal of it is under way."
    return str(stack.get("StackStatusReason", "CloudFormation gives no reason."))


_AGAIN = "It was rolled back to what it was. Put that right, then deploy again."


def _first_failure(session: Session, stack: str) -> Mapping[str, Any] | None:
    """The cause of the last operation's failure: the earliest failed event since it began, echoes left out.

    Events come newest first: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStackEvents.html
    """
    found = None
    pages = session.client("cloudformation").get_paginator("describe_stack_events").paginate(StackName=stack)
    for event in (event for page in pages for event in page["StackEvents"]):
        reason = event.get("ResourceStatusReason", "")
        if event["ResourceStatus"] in _FAILED and not reason.startswith(_ECHO):
            found = event
        if _began(event):
            return found
    return found


def _began(event: Mapping[str, Any]) -> bool:
    """Whether this is the event with which the stack's last operation that a user asked for began."""
    is_stack = event["PhysicalResourceId"] == event["StackId"]
    asked = event["ResourceStatus"] in {"CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "REVIEW_IN_PROGRESS"}
    return is_stack and asked


def _said(event: Mapping[str, Any]) -> str:
    reason = " ".join(str(event.get("ResourceStatusReason", "no reason given")).split())
    return f"{event['LogicalResourceId']} ({event['ResourceType']}): {reason}"
