"""Take a pipeline away: what costs money first, what cannot be brought back only when asked for."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from modelwright.client import endpoint
from modelwright.client.deployment import Deployment, describe_stack, find_deployment, stack_names
from modelwright.client.executions import executions, run_id, stop
from modelwright.client.kept import find_kept, remove_kept
from modelwright.errors import ModelwrightError, NotDeployed
from modelwright.workflow.run_names import deployment_run, name_prefix

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelwright.client.session import Session

Pause = Callable[[float], None]

_BUSY = frozenset({"Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"})
_PATIENCE_SECONDS = 3600.0


def destroy(
    session: Session, environment: str, pipeline: str, *, data: bool, pause: Pause = time.sleep
) -> Iterator[str]:
    """Stop its runs, remove endpoint, models, endpoint configs and stack; with `data` also packages, objects and items.

    Yields:
        One line for each thing removed, then what is left. A second call finds less to do, and does the rest.
    """
    own_stack = stack_names(environment, pipeline)[-1]
    kept = find_kept(session, environment, pipeline)
    try:
        deployment = find_deployment(session, environment, pipeline)
    except NotDeployed:
        deployment = None
    if deployment:
        yield from _stop_runs(session, deployment, pause)
        yield from _remove_endpoint(session, deployment, pause)
        yield from _remove_models(session, environment, pipeline)
    if describe_stack(session, own_stack) is not None:
        yield from _remove_stack(session, own_stack, pause)
    else:
        yield f"stack {own_stack}: not there"
    if kept is None:
        return
    yield from remove_kept(session, kept) if data else kept.lines()


def _stop_runs(session: Session, deployment: Deployment, pause: Pause) -> Iterator[str]:
    running = [entry["executionArn"] for entry in executions(session, deployment, "RUNNING")]
    for arn in running:
        stop(session, arn, "modelwright destroy")
    _until(lambda: not next(executions(session, deployment, "RUNNING"), None), "the runs did not stop", session, pause)
    for arn in running:
        yield f"run {run_id(arn)}: stopped"


def _remove_endpoint(session: Session, deployment: Deployment, pause: Pause) -> Iterator[str]:
    name = deployment.endpoint_name
    _until(
        lambda: endpoint.describe(session, deployment) not in _BUSY, f"endpoint {name} is still busy", session, pause
    )
    if not endpoint.describe(session, deployment):
        yield f"endpoint {name}: not there"
        return
    session.client("sagemaker").delete_endpoint(EndpointName=name)
    _until(lambda: not endpoint.describe(session, deployment), f"endpoint {name} is still there", session, pause)
    yield f"endpoint {name}: removed"


def _remove_models(session: Session, environment: str, pipeline: str) -> Iterator[str]:
    """Only what this pipeline's runs made in this environment: their names say so."""
    client = session.client("sagemaker")
    for what, member, key in (
        ("endpoint_config", "EndpointConfigs", "EndpointConfigName"),
        ("model", "Models", "ModelName"),
    ):
        pages = client.get_paginator(f"list_{what}s").paginate(NameContains=name_prefix(environment, pipeline))
        found = [entry[key] for page in pages for entry in page[member]]
        names = [name for name in found if deployment_run(environment, pipeline, name)]
        for name in names:
            getattr(client, f"delete_{what}")(**{key: name})
        yield f"{what.replace('_', ' ')}s: {len(names)} removed"


def _remove_stack(session: Session, name: str, pause: Pause) -> Iterator[str]:
    session.client("cloudformation").delete_stack(StackName=name)

    def gone() -> bool:
        stack = describe_stack(session, name)
        if stack and stack["StackStatus"] == "DELETE_FAILED":
            raise ModelwrightError(
                f"The stack {name} could not be deleted: {stack.get('StackStatusReason', 'no reason given')}.",
                "Put that right, then run the same command again.",
            )
        return stack is None or stack["StackStatus"] == "DELETE_COMPLETE"

    _until(gone, f"the stack {name} is still being deleted", session, pause)
    yield f"stack {name}: removed"


def _until(done: Callable[[], Any], otherwise: str, session: Session, pause: Pause) -> None:
    for _ in range(round(_PATIENCE_SECONDS / session.poll_seconds)):
        if done():
            return
        pause(session.poll_seconds)
    raise ModelwrightError(
        f"After {_PATIENCE_SECONDS / 60:.0f} minutes {otherwise}.", "Run the same command again to go on."
    )
