"""State `PrepareRun`: resolve the release, take the event once, write the run."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from prepare_run import domain, plan
from shared.clients import client, error_code
from shared.env import read_env
from shared.log import log
from shared.s3 import MAX_MANIFEST_BYTES, Location, read_object
from shared.table import read_item, run_key, to_item, trigger_key

TRIGGER_DAYS = 90  # an event is delivered again within a day at most; executions are kept for 90


@dataclass(frozen=True)
class Env:
    """What the template gives this function."""

    pipeline: str
    artifact_bucket: str
    table_name: str
    key_arn: str
    structure: str


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Return the plan of the run, or `Duplicate` when another execution took the event."""
    del context
    env = read_env(Env, os.environ)
    execution = event["execution"]
    request = domain.parse_request(event["input"], env.pipeline)
    release = _release_id(env, request)
    run = {"id": domain.run_id(execution["arn"]), "release": release, "started_at": execution["started_at"]}
    holder = _take_event(env, request, execution["arn"], run)
    if holder != execution["arn"]:
        log("duplicate event", run=run["id"], taken_by=holder)
        return {"status": "Duplicate", "of": holder, "run": run}
    manifest = _read_release(env, release)
    found = plan.make_plan(manifest, request, run, bucket=env.artifact_bucket, key_arn=env.key_arn)
    _write_run(env, request, execution["arn"], found)
    log("run prepared", run=run["id"], release=release)
    return found


def _read(env: Env, key: str) -> tuple[bytes | None, str]:
    location = Location(env.artifact_bucket, key)
    return read_object(client("s3"), location, max_bytes=MAX_MANIFEST_BYTES), location.uri


def _release_id(env: Env, request: domain.RunRequest) -> str:
    pointer = domain.pointer_key(request, env.pipeline)
    return domain.release_in_pointer(*_read(env, pointer)) if pointer else request.release


def _read_release(env: Env, release: str) -> dict[str, Any]:
    content, uri = _read(env, f"releases/{env.pipeline}/{release}.json")
    return domain.verify_release(content, release, env.pipeline, env.structure, uri)


def _take_event(env: Env, request: domain.RunRequest, execution: str, run: dict[str, Any]) -> str:
    """Put the event under this execution unless another has it; return who has it."""
    key = trigger_key(env.pipeline, request.trigger_kind, request.trigger_id)
    values = {"execution": execution, "run": run["id"], "expires_at": int(time.time()) + TRIGGER_DAYS * 86_400}
    try:
        client("dynamodb").put_item(
            TableName=env.table_name,
            Item={**key, **to_item(values)},
            ConditionExpression="attribute_not_exists(pk) OR #execution = :execution",
            ExpressionAttributeNames={"#execution": "execution"},
            ExpressionAttributeValues={":execution": {"S": execution}},
        )
    except ClientError as error:
        if error_code(error) != "ConditionalCheckFailedException":
            raise
        taken = read_item(client("dynamodb"), env.table_name, key)
        if taken is None:  # its time to live ended in this very moment: the next attempt takes it
            raise
        return str(taken["execution"])
    return execution


def _write_run(env: Env, request: domain.RunRequest, execution: str, found: dict[str, Any]) -> None:
    run = found["run"]
    values = {
        "execution": execution,
        "status": "Running",
        "release": run["release"],
        "commit": run["commit"],
        "data": run["data"]["uri"],
        "overrides": request.overrides,
        "trigger": {"kind": request.trigger_kind, "id": request.trigger_id},
        "started_at": run["started_at"],
    }
    item = {**run_key(env.pipeline, run["id"]), **to_item(values)}
    client("dynamodb").put_item(TableName=env.table_name, Item=item)
