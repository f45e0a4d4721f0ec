"""State `RestoreEndpoint`: steps back to what served before a deployment that failed, for a few seconds."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from restore_endpoint.domain import WAITING, next_step, rejection
from shared import scaling
from shared.clients import client, error_code
from shared.endpoint import FROM_ZERO
from shared.env import read_env
from shared.log import log
from shared.patience import pauses
from shared.table import champion_key, lease_key, read_item

if TYPE_CHECKING:
    from collections.abc import Callable

RESTORE_SECONDS = 10.0
MAX_REASON_CHARACTERS = 1000


@dataclass(frozen=True)
class Env:
    """What the template gives this function."""

    pipeline: str
    table_name: str
    endpoint_name: str


@dataclass(frozen=True)
class Wanted:
    """What is to serve again."""

    endpoint: str
    config: str
    """Empty when nothing served before."""
    tags: list[dict[str, str]]
    """Of an endpoint that has to be made anew."""
    scaling: dict[str, Any]
    """How it scaled (`targets`), and what an update is told of that (`retained`); empty where endpoints do not."""


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Return `waiting` while the endpoint is on its way, else what became of it. The first call rejects the package."""
    del context
    env = read_env(Env, os.environ)
    if _is_champion(env, event["execution"]):
        return {"status": "left alone: this run's model was promoted before the failure"}
    if _holds_lease(env, event["execution"], event["fence"]):
        found = event.get("scaling", {})
        wanted = Wanted(env.endpoint_name, event["previous_config"], event.get("tags", []), found)
        status = _restore(wanted)
        if found.get("found") and status != WAITING:
            status = f"{status}{_scale(wanted)}"
    else:
        status = "left alone: another run holds its lease"
    if event["polls"] == 0:
        _reject(event["package_arn"], rejection(event["failure"]))
    log("endpoint restored", status=status)
    return {"status": status}


def _restore(wanted: Wanted) -> str:
    """Take steps for some seconds."""
    status = _step(wanted)
    for pause in pauses(RESTORE_SECONDS):
        if status != WAITING:
            break
        time.sleep(pause)
        status = _step(wanted)
    return status


def _step(wanted: Wanted) -> str:
    """Take one step, and say what became of the endpoint."""
    step = next_step(*_describe(wanted.endpoint), wanted.config)
    _take(step.action, wanted)
    return step.status


def _scale(wanted: Wanted) -> str:
    """Let the endpoint scale as it did; what cannot be set is said, and what serves goes on serving."""
    targets = {target["variant"]: target for target in wanted.scaling["targets"]}
    try:
        for variant in _variants(wanted.endpoint) - set(targets):
            scaling.remove_target(wanted.endpoint, variant)
        for target in targets.values():
            scaling.set_target(wanted.endpoint, target)
        if not any(policy["PolicyName"] == FROM_ZERO for each in targets.values() for policy in each["policies"]):
            scaling.remove_alarm(wanted.endpoint)
    except (ClientError, BotoCoreError) as error:
        log("scaling not restored", endpoint=wanted.endpoint, error=str(error))
        return f", but does not scale as before: {error}"[:MAX_REASON_CHARACTERS]
    return ""


def _variants(endpoint: str) -> set[str]:
    """The variants that serve now; none of an endpoint that is gone."""
    if _describe(endpoint)[0] is None:
        return set()
    found = client("sagemaker").describe_endpoint(EndpointName=endpoint)
    return {variant["VariantName"] for variant in found.get("ProductionVariants", [])}


def _holds_lease(env: Env, execution: str, fence: int) -> bool:
    lease = read_item(client("dynamodb"), env.table_name, lease_key(env.endpoint_name)) or {}
    return lease.get("execution") == execution and lease.get("fence") == fence


def _is_champion(env: Env, execution: str) -> bool:
    """Whether the promotion went through though its answer did not arrive: then the new model is what has to serve."""
    champion = read_item(client("dynamodb"), env.table_name, champion_key(env.pipeline)) or {}
    return champion.get("execution") == execution


def _reject(package_arn: str, reason: str) -> None:
    """What was not deployed waits for nobody. That it cannot be said is no reason not to restore."""
    try:
        client("sagemaker").update_model_package(
            ModelPackageArn=package_arn, ModelApprovalStatus="Rejected", ApprovalDescription=reason
        )
    except (ClientError, BotoCoreError) as error:
        log("package not rejected", package=package_arn, error=str(error))


def _take(action: str, wanted: Wanted) -> None:
    sagemaker = client("sagemaker")
    named = {"EndpointName": wanted.endpoint}
    configured = {**named, "EndpointConfigName": wanted.config}
    calls: dict[str, Callable[[], Any]] = {
        "create": lambda: sagemaker.create_endpoint(**configured, Tags=wanted.tags),
        "update": lambda: _update(wanted, configured),
        "delete": lambda: sagemaker.delete_endpoint(**named),
    }
    try:
        calls.get(action, lambda: None)()
    except ClientError as error:
        # The answer about its status was older than a change that is under way: the next step sees it.
        if "in-progress" not in str(error):
            raise


def _update(wanted: Wanted, configured: dict[str, str]) -> None:
    """Ask for what served before; what scales by now may have other machines, which the update would be refused for.

    How it scaled is set when it serves again: https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-scaling-update.html
    """
    if wanted.scaling.get("found"):
        for variant in sorted(_variants(wanted.endpoint)):
            scaling.remove_target(wanted.endpoint, variant)
    client("sagemaker").update_endpoint(**configured, **wanted.scaling.get("retained", {}))


def _describe(endpoint: str) -> tuple[str | None, str | None]:
    try:
        found = client("sagemaker").describe_endpoint(EndpointName=endpoint)
    except ClientError as error:
        # SageMaker has no error of its own for it: a ValidationException, told apart by its text.
        if error_code(error) == "ValidationException" and "Could not find endpoint" in str(error):
            return None, None
        raise
    return found["EndpointStatus"], found.get("EndpointConfigName")
