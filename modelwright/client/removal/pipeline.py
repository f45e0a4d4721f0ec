"""Take a pipeline away: what costs money first, what cannot be brought back only when asked for, and look again."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from modelwright.client.batch.job import stop as stop_batch
from modelwright.client.deployment import Deployment, describe_stack, find_deployment, stack_name
from modelwright.client.deploys.stack_failures import first_failure
from modelwright.client.deploys.stack_states import IN_PROGRESS
from modelwright.client.removal.kept import find_kept, forget_merges, remove_kept
from modelwright.client.removal.leavings import batch_jobs, costly, endpoint_config, models_and_configs
from modelwright.client.removal.scaling import end_scaling, remove_alarm
from modelwright.client.runs.executions import executions, run_id, stop
from modelwright.errors import ModelwrightError, NotDeployed, names
from modelwright.workflow.run_names import deployment_run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelwright.client.session import Session

Pause = Callable[[float], None]

_BUSY = frozenset({"Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"})
_DELETABLE = frozenset({"CREATE_IN_PROGRESS", "DELETE_IN_PROGRESS", "REVIEW_IN_PROGRESS"})
"""Stacks that DeleteStack takes though something is under way."""
_PATIENCE_SECONDS = 3600.0
_GIVING_BACK_SECONDS = 300.0
"""How long an endpoint's role stays after it: SageMaker removes key grants "for a few minutes" with it, and in a
VPC the network interfaces, which otherwise stay and hold subnets and security groups.
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DeleteEndpoint.html
https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/1327
"""


def destroy(
    session: Session, environment: str, pipeline: str, *, data: bool, pause: Pause = time.sleep
) -> Iterator[str]:
    """Stop its runs, remove endpoint, models, endpoint configs and stack; with `data` also packages, objects and items.

    The endpoint is no resource of the stack: runs made it, and it costs when the stack has gone, too. So it is looked
    for by its name, whatever the stack's state is, and at the end everything that costs is looked for once more.

    Yields:
        One line for each thing removed, then what is left and why. A second call finds less to do, and does the rest.
    """
    kept = find_kept(session, environment, pipeline)
    try:
        deployment = find_deployment(session, environment, pipeline)
    except NotDeployed:
        deployment = None
    if deployment:
        yield from _stop_runs(session, deployment, pause)
    yield from _stop_batches(session, environment, pipeline)
    yield from _remove_endpoint(session, environment, pipeline, pause)
    yield from _remove_models(session, environment, pipeline)
    _wait_for_jobs(session, environment, pipeline, pause)
    yield from remove_stack(session, stack_name(environment, pipeline), pause)
    yield from _verify(session, environment, pipeline, pause)
    if kept is not None:
        forget_merges(session, kept)
        yield from remove_kept(session, kept) if data else kept.lines()


def remove_stack(session: Session, name: str, pause: Pause = time.sleep) -> Iterator[str]:
    """Delete a stack and wait until it has gone; its failure is an error that names the resource and the next step."""
    stack = describe_stack(session, name)
    if stack is None:
        yield f"stack {name}: not there"
        return
    if stack["StackStatus"] in IN_PROGRESS - _DELETABLE:
        raise ModelwrightError(
            f"The stack {name} is {stack['StackStatus']}: a deploy of it is under way.",
            "Wait until it is done, then run the same command again.",
        )
    session.client("cloudformation").delete_stack(StackName=name)

    def gone() -> bool:
        found = describe_stack(session, name)
        if found and found["StackStatus"] == "DELETE_FAILED":
            raise _undeleted(session, name, found)
        return found is None or found["StackStatus"] == "DELETE_COMPLETE"

    _until(gone, f"the stack {name} is still being deleted", session, pause)
    yield f"stack {name}: removed"


def _undeleted(session: Session, name: str, stack: dict[str, Any]) -> ModelwrightError:
    """What could not be removed can be left behind: only a stack in DELETE_FAILED takes `--retain-resources`.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DeleteStack.html
    """
    event = first_failure(session, name)
    if event is None:
        return ModelwrightError(
            f"The stack {name} could not be deleted: {stack.get('StackStatusReason', 'no reason given')}.",
            "Put that right, then run the same command again.",
        )
    what, reason = event["LogicalResourceId"], " ".join(event.get("ResourceStatusReason", "no reason given").split())
    return ModelwrightError(
        f"The stack {name} could not be deleted: {what} ({event['ResourceType']}): {reason}",
        f"Put that right, then run the same command again; or leave it behind: "
        f"`aws cloudformation delete-stack --stack-name {name} --retain-resources {what}`.",
    )


def _stop_runs(session: Session, deployment: Deployment, pause: Pause) -> Iterator[str]:
    running = [entry["executionArn"] for entry in executions(session, deployment, "RUNNING")]
    for arn in running:
        stop(session, arn, "modelwright destroy")
    _until(lambda: not next(executions(session, deployment, "RUNNING"), None), "the runs did not stop", session, pause)
    for arn in running:
        yield f"run {run_id(arn)}: stopped"


def _stop_batches(session: Session, environment: str, pipeline: str) -> Iterator[str]:
    for name in list(batch_jobs(session, environment, pipeline)):
        stop_batch(session, name)
        yield f"batch job {name}: stopped"


def _remove_endpoint(session: Session, environment: str, pipeline: str, pause: Pause) -> Iterator[str]:
    """Only an endpoint that a run of this pipeline made: a name alone proves nothing."""
    name = stack_name(environment, pipeline)
    remove_alarm(session, name)

    def status() -> str:
        found = endpoint_config(session, name)
        return found.status if found else ""

    found = endpoint_config(session, name)
    if found is None:
        return
    if not deployment_run(environment, pipeline, found.config):
        yield f"endpoint {name}: left, since no run of {pipeline} made its configuration {found.config}"
        return
    _until(lambda: status() not in _BUSY, f"endpoint {name} is still busy", session, pause)
    end_scaling(session, name)
    session.client("sagemaker").delete_endpoint(EndpointName=name)
    _until(lambda: not status(), f"endpoint {name} is still there", session, pause)
    yield f"endpoint {name}: removed"
    if not session.is_local:
        minutes = f"{_GIVING_BACK_SECONDS / 60:.0f} minutes"
        yield f"waiting {minutes}: SageMaker gives key grants and network interfaces back, with the role of the model"
        pause(_GIVING_BACK_SECONDS)


def _remove_models(session: Session, environment: str, pipeline: str) -> Iterator[str]:
    """Only what this pipeline's runs made in this environment: their names say so."""
    client = session.client("sagemaker")
    for what, key, found in models_and_configs(session, environment, pipeline):
        for name in found:
            getattr(client, f"delete_{what}")(**{key: name})
        if found:
            yield f"{what.replace('_', ' ')}s: {len(found)} removed"


def _wait_for_jobs(session: Session, environment: str, pipeline: str, pause: Pause) -> None:
    """Jobs that are being stopped take a while, and still use their roles, which go with the stack."""
    for _ in range(round(_PATIENCE_SECONDS / session.poll_seconds)):
        if not any(item.startswith("job ") for item in costly(session, environment, pipeline)):
            return
        pause(session.poll_seconds)


def _verify(session: Session, environment: str, pipeline: str, pause: Pause) -> Iterator[str]:
    """Look at all that costs once more: a run may have come between."""
    _wait_for_jobs(session, environment, pipeline, pause)
    still = list(costly(session, environment, pipeline))
    if still:
        raise ModelwrightError(
            f"After the removal there is still {names(still)}.",
            "Something made it meanwhile, or it could not be removed: run the same command again.",
        )
    yield f"verified: no endpoint, endpoint config, model, job, alarm or stack of {pipeline} is left in {environment}"


def _until(done: Callable[[], Any], otherwise: str, session: Session, pause: Pause) -> None:
    for _ in range(round(_PATIENCE_SECONDS / session.poll_seconds)):
        if done():
            return
        pause(session.poll_seconds)
    raise ModelwrightError(
        f"After {_PATIENCE_SECONDS / 60:.0f} minutes {otherwise}.", "Run the same command again to go on."
    )
