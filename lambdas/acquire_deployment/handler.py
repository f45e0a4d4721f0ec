"""State `AcquireDeployment`: take the endpoint's lease, unless a newer run is the champion."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from acquire_deployment.domain import has_ended, newer_champion
from shared.clients import client, error_code
from shared.env import read_env
from shared.log import log
from shared.table import champion_key, from_item, lease_key, read_item


@dataclass(frozen=True)
class Env:
    """What the template gives this function."""

    pipeline: str
    table_name: str
    endpoint_name: str
    lease_seconds: int


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Return `Acquired` with the fence, `Busy` with the holder, or `Superseded` with the newer run."""
    del context
    env = read_env(Env, os.environ)
    lease = _take(env, event["execution"])
    if lease["status"] == "Busy":
        log("endpoint busy", run=event["run"], holder=lease["holder"])
        return lease
    # Read under the lease: only its holder moves the pointer.
    champion = read_item(client("dynamodb"), env.table_name, champion_key(env.pipeline))
    newer = newer_champion(champion, event["started_at"], event["run"])
    if newer:
        _give_back(env, event["execution"])
        log("superseded", run=event["run"], champion=newer)
        return {"status": "Superseded", "champion": newer}
    log("lease taken", run=event["run"], fence=lease["fence"])
    return lease


_FREE = "attribute_not_exists(#execution) OR #execution = :me OR expires_at_epoch_seconds < :now"


def _take(env: Env, execution: str) -> dict[str, Any]:
    """Take the lease when it is free, over or this execution's already, or when whoever holds it has ended."""
    fence = _write(env, execution, _FREE, {":now": {"N": str(int(time.time()))}})
    if fence is None:
        holder = _holder(env)
        if has_ended(_status(holder)):
            log("lease of an execution that has ended", holder=holder)
            fence = _write(env, execution, "#execution = :holder", {":holder": {"S": holder}})
        if fence is None:
            return {"status": "Busy", "holder": holder}
    return {"status": "Acquired", "fence": fence}


def _write(env: Env, execution: str, condition: str, values: dict[str, dict[str, str]]) -> int | None:
    """Write the holder, its end and a greater fence under the condition; return the fence, or None."""
    try:
        answer = client("dynamodb").update_item(
            TableName=env.table_name,
            Key=lease_key(env.endpoint_name),
            UpdateExpression="SET #execution = :me, expires_at_epoch_seconds = :end ADD fence :one",
            ConditionExpression=condition,
            ExpressionAttributeNames={"#execution": "execution"},
            ExpressionAttributeValues={
                ":me": {"S": execution},
                ":end": {"N": str(int(time.time()) + env.lease_seconds)},
                ":one": {"N": "1"},
                **values,
            },
            ReturnValues="ALL_NEW",
        )
    except ClientError as error:
        # A conflict with the holder's promotion is a lease that is held, too.
        if error_code(error) not in {"ConditionalCheckFailedException", "TransactionConflictException"}:
            raise
        return None
    fence: int = from_item(answer["Attributes"])["fence"]
    return fence


def _holder(env: Env) -> str:
    lease = read_item(client("dynamodb"), env.table_name, lease_key(env.endpoint_name)) or {}
    return str(lease.get("execution", "nobody any more"))


def _status(execution: str) -> str:
    """How an execution stands: a run that was stopped gives nothing back, and its lease would block the next for hours.

    What cannot be found out is no reason to take the lease, nor to fail: it ends by its time.
    """
    try:
        return str(client("stepfunctions").describe_execution(executionArn=execution)["status"])
    except ClientError as error:
        if error_code(error) != "ExecutionDoesNotExist":
            log("holder not found out", holder=execution, error=str(error))
        return error_code(error)


def _give_back(env: Env, execution: str) -> None:
    client("dynamodb").update_item(
        TableName=env.table_name,
        Key=lease_key(env.endpoint_name),
        UpdateExpression="REMOVE #execution, expires_at_epoch_seconds",
        ConditionExpression="#execution = :me",
        ExpressionAttributeNames={"#execution": "execution"},
        ExpressionAttributeValues={":me": {"S": execution}},
    )
