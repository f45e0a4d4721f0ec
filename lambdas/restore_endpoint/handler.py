"""State `RestoreEndpoint`: steps back to what served before a deployment that failed, for a few seconds."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from restore_endpoint.domain import WAITING, next_step
from shared.clients import client, error_code
from shared.env import read_env
from shared.log import log
from shared.patience import pauses
from shared.table import lease_key, read_item

RESTORE_SECONDS = 10.0


@dataclass(frozen=True)
class Env:
    """What the template gives this function."""

    table_name: str
    endpoint_name: str


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Return `waiting` while the endpoint is on its way, else what became of it."""
    del context
    env = read_env(Env, os.environ)
    if not _holds_lease(env, event["execution"], event["fence"]):
        return {"status": "left alone: another run holds its lease"}
    status = _step(env.endpoint_name, event["previous_config"])
    for pause in pauses(RESTORE_SECONDS):
        if status != WAITING:
            break
        time.sleep(pause)
        status = _step(env.endpoint_name, event["previous_config"])
    log("endpoint restored", status=status)
    return {"status": status}


def _step(endpoint: str, previous: str) -> str:
    """Take one step, and say what became of the endpoint."""
    step = next_step(*_describe(endpoint), previous)
    _take(step.action, endpoint, previous)
    return step.status


def _holds_lease(env: Env, execution: str, fence: int) -> bool:
    lease = read_item(client("dynamodb"), env.table_name, lease_key(env.endpoint_name)) or {}
    return lease.get("execution") == execution and lease.get("fence") == fence


def _take(action: str, endpoint: str, previous: str) -> None:
    sagemaker = client("sagemaker")
    calls = {
        "create": lambda: sagemaker.create_endpoint(EndpointName=endpoint, EndpointConfigName=previous),
        "update": lambda: sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName=previous),
        "delete": lambda: sagemaker.delete_endpoint(EndpointName=endpoint),
    }
    try:
        calls.get(action, lambda: None)()
    except ClientError as error:
        # The answer about its status was older than a change that is under way: the next step sees it.
        if "in-progress" not in str(error):
            raise


def _describe(endpoint: str) -> tuple[str | None, str | None]:
    try:
        found = client("sagemaker").describe_endpoint(EndpointName=endpoint)
    except ClientError as error:
        # SageMaker has no error of its own for it: a ValidationException, told apart by its text.
        if error_code(error) == "ValidationException" and "Could not find endpoint" in str(error):
            return None, None
        raise
    return found["EndpointStatus"], found.get("EndpointConfigName")
