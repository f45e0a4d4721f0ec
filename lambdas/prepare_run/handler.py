"""State `PrepareRun`: resolve the release, take the event once, see that there is something to do, write the run."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from prepare_run import domain, limit, merges, plan
from shared.clients import client, error_code
from shared.env import read_env
from shared.errors import RunLimitReached
from shared.log import log
from shared.run_id import run_id
from shared.s3 import MAX_MANIFEST_BYTES, Location, read_object
from shared.table import day_key, merged_key, read_item, run_key, to_item, trigger_key

TRIGGER_DAYS = 90  # an event is delivered again within a day at most; executions are kept for 90
_ATTEMPTS = 20  # as many merges at the same moment may overtake one another


@dataclass(frozen=True)
class Env:
    """What the template gives this function."""

    pipeline: str
    environment: str
    artifact_bucket: str
    table_name: str
    structure: str
    data_prefix: str
    """`s3://bucket/prefix/`: where new data start a run."""
    max_runs_per_day: int
    """0: no limit."""
    key_arn: str = ""
    """Empty: AWS's own keys encrypt volumes and outputs."""


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Return the plan of the run; `Duplicate` when another took the event, `Unchanged` for a merge of nothing.

    Retried, it comes to the same end: every step asks whether this execution has done it already.
    """
    del context
    env = read_env(Env, os.environ)
    execution = event["execution"]
    request = domain.parse_request(event["input"], env.pipeline, env.data_prefix)
    release = _release_id(env, request)
    run = {"id": run_id(execution["arn"]), "release": release, "started_at": execution["started_at"]}
    holder = _take_event(env, request, execution["arn"], run)
    if holder != execution["arn"]:
        log("duplicate event", run=run["id"], taken_by=holder)
        return {"status": "Duplicate", "of": holder, "run": run}
    manifest = _read_release(env, release)
    found = plan.make_plan(manifest, request, run, bucket=env.artifact_bucket, key_arn=env.key_arn)
    before = _same_merge(env, request, manifest, execution["arn"])
    if before:
        log("unchanged merge", run=run["id"], same_as=before)
        return {"status": "Unchanged", "of": before, "run": run}
    _count_run(env, run)
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


def _same_merge(env: Env, request: domain.RunRequest, manifest: dict[str, Any], execution: str) -> str | None:
    """The execution whose merge this one repeats; else None, and this one is the last merge from now on."""
    if request.trigger_kind != "merge":
        return None
    content = merges.content_of(manifest, request, execution)
    mine = {"content": content, "execution": execution, "run": run_id(execution)}
    for _ in range(_ATTEMPTS):
        item = read_item(client("dynamodb"), env.table_name, merged_key(env.pipeline)) or {"number": 0, "runs": []}
        if any(entry["execution"] == execution for entry in item["runs"]):
            return None
        before, kept = merges.same_before(item["runs"], mine, lambda entry: _standing(env, entry))
        if before or _write_merges(env, item["number"], kept):
            return before
    raise RuntimeError(f"{_ATTEMPTS} other merges of {env.pipeline} were written in the meantime")


def _write_merges(env: Env, number: int, entries: list[merges.Entry]) -> bool:
    """Write the last merges' runs, unless somebody else has written since `number`; whether it was done."""
    try:
        client("dynamodb").put_item(
            TableName=env.table_name,
            Item={**merged_key(env.pipeline), **to_item({"number": number + 1, "runs": entries})},
            ConditionExpression="attribute_not_exists(pk) OR #number = :number",
            ExpressionAttributeNames={"#number": "number"},
            ExpressionAttributeValues={":number": {"N": str(number)}},
        )
    except ClientError as error:
        if error_code(error) != "ConditionalCheckFailedException":
            raise
        return False
    return True


def _standing(env: Env, entry: merges.Entry) -> str:
    key = run_key(env.pipeline, entry["run"])
    found = read_item(client("dynamodb"), env.table_name, key) or {}
    if found.get("status", "Running") != "Running":
        return merges.standing(found["status"], "")
    execution = _execution_status(entry["execution"])
    if execution == "SUCCEEDED":  # it ended between the two looks
        found = read_item(client("dynamodb"), env.table_name, key) or {}
    return merges.standing(found.get("status"), execution)


def _execution_status(execution: str) -> str:
    """How an execution stands; what cannot be found out counts as gone: to train twice is the smaller mistake."""
    try:
        return str(client("stepfunctions").describe_execution(executionArn=execution)["status"])
    except ClientError as error:
        log("execution not found out", execution=execution, error=str(error))
        return error_code(error)


def _count_run(env: Env, run: dict[str, Any]) -> None:
    """Count the run for its day, once; raises RunLimitReached when the day has had as many as it may have."""
    if not env.max_runs_per_day:
        return
    day = limit.Day.of(run["started_at"])
    try:
        client("dynamodb").update_item(
            TableName=env.table_name,
            Key=day_key(env.pipeline, day.name),
            UpdateExpression="ADD #runs :these SET expires_at = :end",
            ConditionExpression="attribute_not_exists(#runs) OR contains(#runs, :this) OR size(#runs) < :limit",
            ExpressionAttributeNames={"#runs": "runs"},
            ExpressionAttributeValues={
                ":these": {"SS": [run["id"]]},
                ":this": {"S": run["id"]},
                ":limit": {"N": str(env.max_runs_per_day)},
                ":end": {"N": str(day.forgotten)},
            },
        )
    except ClientError as error:
        if error_code(error) != "ConditionalCheckFailedException":
            raise
        raise RunLimitReached(limit.refusal(env.pipeline, env.environment, env.max_runs_per_day, day)) from None


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
