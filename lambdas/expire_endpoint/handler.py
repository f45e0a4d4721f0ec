"""Delete an endpoint whose last deployment is older than `deploy.ttl_hours`: called by a schedule, again and again.

Never during a run: it works under the endpoint's lease, as a deployment does. The champion stays the champion, so that
the next run is measured against it; only what costs by the hour goes.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from expire_endpoint.domain import expires_at, message
from shared import scaling
from shared.clients import client, error_code
from shared.endpoint import BUSY
from shared.env import read_env
from shared.log import log
from shared.table import champion_key, lease_key, read_item, run_key

LEASE_SECONDS = 300
"""Longer than this function may take: a lease that it could not give back ends by its time."""


@dataclass(frozen=True)
class Env:
    """What the template gives this function."""

    pipeline: str
    table_name: str
    endpoint_name: str
    topic_arn: str
    ttl_hours: int
    scales: str = ""
    """`yes` where Auto Scaling has targets of this endpoint."""


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Return whether the endpoint was deleted now, and what was found otherwise."""
    del event
    env = read_env(Env, os.environ)
    outcome = _look(env)
    if outcome == "due":
        outcome = _under_lease(env, f"expire_endpoint:{context.aws_request_id}")
    log("endpoint looked at", outcome=outcome)
    return {"endpoint": env.endpoint_name, "outcome": outcome}


def _under_lease(env: Env, holder: str) -> str:
    """Take the lease, look again, delete, tell; a run that came first has the lease."""
    if not _take(env, holder):
        return "a run has its lease"
    try:
        outcome = _look(env)
        if outcome == "due":
            _delete(env)
            outcome = "deleted"
    finally:
        _give_back(env, holder)
    if outcome == "deleted":
        _tell(env)
    return outcome


def _look(env: Env) -> str:
    """Say `due`, or why the endpoint stays."""
    try:
        found = client("sagemaker").describe_endpoint(EndpointName=env.endpoint_name)
    except ClientError as error:
        # SageMaker has no error of its own for it: a ValidationException, told apart by its text.
        if error_code(error) == "ValidationException" and "Could not find endpoint" in str(error):
            return "absent"
        raise
    if found["EndpointStatus"] in BUSY:
        return f"it is {found['EndpointStatus']}"
    end = expires_at(_deployed_at(env) or found["CreationTime"], env.ttl_hours)
    return "due" if datetime.now(UTC) >= end else f"it ends at {end.isoformat(timespec='seconds')}"


def _deployed_at(env: Env) -> str | None:
    """When the champion was deployed; None without one, then its creation counts."""
    champion = _champion(env)
    if champion is None:
        return None
    run = read_item(client("dynamodb"), env.table_name, run_key(env.pipeline, champion["run"])) or {}
    ended: str | None = run.get("ended_at")
    return ended


def _champion(env: Env) -> dict[str, Any] | None:
    return read_item(client("dynamodb"), env.table_name, champion_key(env.pipeline))


def _delete(env: Env) -> None:
    """Delete the endpoint; its scalable targets go with it, as this function may deregister them.

    https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-delete-with-scaling.html
    """
    client("sagemaker").delete_endpoint(EndpointName=env.endpoint_name)
    if env.scales:
        scaling.remove_alarm(env.endpoint_name)


def _tell(env: Env) -> None:
    client("sns").publish(
        TopicArn=env.topic_arn,
        Subject=f"{env.pipeline}: endpoint expired",
        Message=message(env.pipeline, env.endpoint_name, env.ttl_hours, _champion(env)),
        MessageAttributes={
            "pipeline": {"DataType": "String", "StringValue": env.pipeline},
            "status": {"DataType": "String", "StringValue": "Expired"},
        },
    )


def _take(env: Env, holder: str) -> bool:
    """Take the lease if nobody holds it; a greater fence, so that whoever held it before knows."""
    now = int(time.time())
    return _write(
        env,
        "SET #execution = :me, expires_at_epoch_seconds = :end ADD fence :one",
        "attribute_not_exists(#execution) OR expires_at_epoch_seconds < :now",
        {
            ":me": {"S": holder},
            ":end": {"N": str(now + LEASE_SECONDS)},
            ":one": {"N": "1"},
            ":now": {"N": str(now)},
        },
    )


def _give_back(env: Env, holder: str) -> None:
    _write(env, "REMOVE #execution, expires_at_epoch_seconds", "#execution = :me", {":me": {"S": holder}})


def _write(env: Env, expression: str, condition: str, values: dict[str, dict[str, str]]) -> bool:
    try:
        client("dynamodb").update_item(
            TableName=env.table_name,
            Key=lease_key(env.endpoint_name),
            UpdateExpression=expression,
            ConditionExpression=condition,
            ExpressionAttributeNames={"#execution": "execution"},
            ExpressionAttributeValues=values,
        )
    except ClientError as error:
        if error_code(error) not in {"ConditionalCheckFailedException", "TransactionConflictException"}:
            raise
        return False
    return True
