"""Count the records of a new object, once; when enough are new, start a run on all data.

Called by EventBridge for every new object under the watched prefix, at least once:
https://docs.aws.amazon.com/AmazonS3/latest/userguide/EventBridge.html
"""

from __future__ import annotations

import os
import random
import time
import uuid
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from count_records.domain import NewObject, UncountableData, count, execution_input, message
from shared.clients import client, error_code
from shared.env import read_env
from shared.log import log
from shared.table import counted_key, read_item, records_key, to_item

COUNTED_DAYS = 14  # an event is delivered again within a day at most
_PATIENCE_SECONDS = 120.0  # as long as many that count at the same moment may take
_MOST_STEPS = 20  # of starting what waits, two for a run: the next object goes on


@dataclass(frozen=True)
class Env:
    """What the template gives this function."""

    pipeline: str
    table_name: str
    topic_arn: str
    state_machine_arn: str
    data_prefix: str
    """`s3://bucket/prefix/`: what a run is started on."""
    every_records: int


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Return how many records the object added, and the executions that were started.

    Tried again after a fault, it counts nothing twice and finishes what was begun.
    """
    del context
    env = read_env(Env, os.environ)
    new = NewObject.of(event["detail"])
    records = _count_once(env, new) if new.is_data(env.data_prefix) else 0
    started = _start(env)
    log("new object", uri=new.uri, records=records, started=started)
    return {"records": records, "started": started}


def _count_once(env: Env, new: NewObject) -> int:
    """Add the object's records to those that wait for a run, unless that was done before; return how many."""
    if read_item(client("dynamodb"), env.table_name, counted_key(env.pipeline, new.identity)):
        return 0
    try:
        records = _records(new)
    except UncountableData as error:
        _tell(env, new, str(error))
        _write(env, new, 0, str(error))
        return 0
    return records if _write(env, new, records) else 0


def _records(new: NewObject) -> int:
    version = {"VersionId": new.version} if new.version else {}
    try:
        answer = client("s3").get_object(Bucket=new.bucket, Key=new.key, **version)
    except ClientError as error:
        if error_code(error) not in {"NoSuchKey", "NoSuchVersion", "404"}:
            raise
        return 0  # it was deleted before it was counted
    return count(new.key, answer["Body"])


def _write(env: Env, new: NewObject, records: int, problem: str | None = None) -> bool:
    """Write the object and its records at once; whether it was not there yet."""
    both = [{"Put": _object_once(env, new, records, problem)}, {"Update": _records_added(env, records)}]
    until = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            client("dynamodb").transact_write_items(TransactItems=both)
        except ClientError as error:
            codes = [reason.get("Code") for reason in error.response.get("CancellationReasons", [])]
            if codes[:1] == ["ConditionalCheckFailed"]:
                return False
            if "TransactionConflict" not in codes or time.monotonic() > until:
                raise
            time.sleep(random.uniform(0.01, 0.5))  # noqa: S311 # so that those who met do not meet again
        else:
            return True


def _object_once(env: Env, new: NewObject, records: int, problem: str | None) -> dict[str, Any]:
    values = {"uri": new.uri, "records": records, "expires_at": int(time.time()) + COUNTED_DAYS * 86_400}
    item = to_item({**values, **({"problem": problem} if problem else {})})
    return {
        "TableName": env.table_name,
        "Item": {**counted_key(env.pipeline, new.identity), **item},
        "ConditionExpression": "attribute_not_exists(pk)",
    }


def _records_added(env: Env, records: int) -> dict[str, Any]:
    return {
        "TableName": env.table_name,
        "Key": records_key(env.pipeline),
        "UpdateExpression": "ADD #records :found",
        "ExpressionAttributeNames": {"#records": "records"},
        "ExpressionAttributeValues": {":found": {"N": str(records)}},
    }


def _tell(env: Env, new: NewObject, problem: str) -> None:
    log("uncountable data", uri=new.uri, problem=problem, error=UncountableData.__name__)
    client("sns").publish(
        TopicArn=env.topic_arn,
        Subject=f"{env.pipeline}: new data not counted",
        Message=message(env.pipeline, new.uri, problem),
    )


def _start(env: Env) -> list[str]:
    """Start a run for as many records as wait, if they are enough; finish what another began. Return the executions.

    What is about to be started is written down first: name, input and how many records it is for. So whoever comes
    after a fault starts the same execution, not another one, and takes off the same number.
    """
    started: list[str] = []
    for _ in range(_MOST_STEPS):
        waiting = read_item(client("dynamodb"), env.table_name, records_key(env.pipeline)) or {}
        pending = waiting.get("pending")
        if not pending and waiting.get("records", 0) < env.every_records:
            return started
        if pending:
            started.append(_execute(env, pending["id"]))
            _take_off(env, pending, started[-1])
        else:
            _begin(env, waiting["records"])
    return started


def _begin(env: Env, records: int) -> None:
    """Write down that a run is about to be started for `records`, unless somebody else has."""
    _update(
        env,
        "SET #pending = :pending",
        "attribute_not_exists(#pending) AND #records >= :least",
        {":pending": {"id": str(uuid.uuid4()), "records": records}, ":least": records},
    )


def _execute(env: Env, name: str) -> str:
    try:
        client("stepfunctions").start_execution(
            stateMachineArn=env.state_machine_arn,
            name=name,
            input=execution_input(env.pipeline, name, env.data_prefix),
        )
    except ClientError as error:
        if error_code(error) != "ExecutionAlreadyExists":
            raise
    return f"{env.state_machine_arn.replace(':stateMachine:', ':execution:')}:{name}"


def _take_off(env: Env, pending: dict[str, Any], execution: str) -> None:
    """Take off the records that the run is for; those that came meanwhile stay."""
    _update(
        env,
        "SET #records = #records - :taken, #execution = :execution REMOVE #pending",
        "#pending.#id = :id",
        {":taken": pending["records"], ":execution": execution, ":id": pending["id"]},
    )


def _update(env: Env, expression: str, condition: str, values: dict[str, Any]) -> None:
    """Change what waits, if the condition holds: else somebody else has done it."""
    names = ("pending", "records", "execution", "id")
    try:
        client("dynamodb").update_item(
            TableName=env.table_name,
            Key=records_key(env.pipeline),
            UpdateExpression=expression,
            ConditionExpression=condition,
            ExpressionAttributeNames={f"#{name}": name for name in names if f"#{name}" in expression + condition},
            ExpressionAttributeValues=to_item(values),
        )
    except ClientError as error:
        if error_code(error) not in {"ConditionalCheckFailedException", "TransactionConflictException"}:
            raise
