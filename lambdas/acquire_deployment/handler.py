"""State `AcquireDeployment`: take the endpoint's lease, unless a newer run is the champion."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from acquire_deployment.domain import newer_champion
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


def _take(env: Env, execution: str) -> dict[str, Any]:
    """Write the holder, its end and a greater fence, when the lease is free, over or this execution's already."""
    now = int(time.time())
    try:
        answer = client("dynamodb").update_item(
            TableName=env.table_name,
            Key=lease_key(env.endpoint_name),
            UpdateExpression="SET #execution = :me, expires_at_epoch_seconds = :end ADD fence :one",
            ConditionExpression=(
                "attribute_not_exists(#execution) OR #execution = :me OR expires_at_epoch_seconds < :now"
            ),
            ExpressionAttributeNames={"#execution": "execution"},
            ExpressionAttributeValues={
                ":me": {"S": execution},
                ":end": {"N": str(now + env.lease_seconds)},
                ":now": {"N": str(now)},
                ":one": {"N": "1"},
            },
            ReturnValues="ALL_NEW",
        )
    except ClientError as error:
        # A conflict with the holder's promotion is a lease that is held, too.
        if error_code(error) not in {"ConditionalCheckFailedException", "TransactionConflictException"}:
            raise
        return {"status": "Busy", "holder": _holder(env)}
    return {"status": "Acquired", "fence": from_item(answer["Attributes"])["fence"]}


def _holder(env: Env) -> str:
    lease = read_item(client("dynamodb"), env.table_name, lease_key(env.endpoint_name)) or {}
    return str(lease.get("execution", "nobody any more"))


def _give_back(env: Env, execution: str) -> None:
    client("dynamodb").update_item(
        TableName=env.table_name,
        Key=lease_key(env.endpoint_name),
        UpdateExpression="REMOVE #execution, expires_at_epoch_seconds",
        ConditionExpression="#execution = :me",
        ExpressionAttributeNames={"#execution": "execution"},
        ExpressionAttributeValues={":me": {"S": execution}},
    )
