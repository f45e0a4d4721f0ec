"""Close the run of an execution that was stopped, took too long or failed past its states: none is left that could.

Called by EventBridge for each such execution, by best effort and at least once:
https://docs.aws.amazon.com/eventbridge/latest/ref/events-ref-states.html
So nothing relies on it alone: who meets a run that seems to go on asks Step Functions.
"""

from __future__ import annotations

import os
import re
import time
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from close_run.domain import CLOSER, Ended, Left, Serving, message
from shared.clients import client, error_code
from shared.env import read_env
from shared.log import log
from shared.patience import pauses
from shared.table import Key, champion_key, lease_key, read_item, run_key

CONFLICT_SECONDS = 10.0
LOOK_SECONDS = 10.0
"""So long AWS may still answer with the state before an update that has begun."""


@dataclass(frozen=True)
class Env:
    """What the template gives this function."""

    pipeline: str
    environment: str
    table_name: str
    topic_arn: str = ""
    endpoint_name: str = ""
    """Empty where nothing is deployed; then nobody has to be told either."""


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Return whether the run was closed and its lease freed now, and the untested configuration that was told.

    Each step asks whether it is still to be done, so an event that comes again, or late, changes nothing.
    """
    del context
    env, ended = read_env(Env, os.environ), Ended.of(event["detail"])
    closed = _close(env, ended)
    freed = bool(env.endpoint_name) and _free(env, ended)
    untested = _tell(env, ended, look_again=freed) if env.endpoint_name else None
    log("run closed", run=ended.run, status=ended.status, closed=closed, lease_freed=freed, untested=untested)
    return {"run": ended.run, "closed": closed, "lease_freed": freed, "untested": untested}


def _close(env: Env, ended: Ended) -> bool:
    """Write the end into the run if it has none yet. One that no state wrote down has no item, and gets none."""
    found = {"status": ended.status, "ended_at": ended.ended_at, "closed_by": CLOSER, **ended.reason()}
    return _update(
        env,
        run_key(env.pipeline, ended.run),
        "SET " + ", ".join(f"#{name} = :{name}" for name in found),
        "#status = :running",
        {**{f":{name}": value for name, value in found.items()}, ":running": "Running"},
    )


def _free(env: Env, ended: Ended) -> bool:
    """Give the lease back if this execution holds it; the fence stays, so that it only grows."""
    return _update(
        env,
        lease_key(env.endpoint_name),
        "REMOVE #execution, expires_at_epoch_seconds",
        "#execution = :execution",
        {":execution": ended.execution},
    )


def _tell(env: Env, ended: Ended, *, look_again: bool) -> str | None:
    """Tell the topic, once, when the endpoint has a model of this run that is not the champion; its configuration.

    Nothing is put back: docs/adr/0012-new-data-and-what-runs-once.md. The champion is read after the lease was freed:
    without it this run can no longer become the champion.
    """
    run = read_item(client("dynamodb"), env.table_name, run_key(env.pipeline, ended.run))
    champion = read_item(client("dynamodb"), env.table_name, champion_key(env.pipeline))
    if run is None or "untested" in run or not ended.may_have_left(run):
        return None
    if champion and champion["run"] == ended.run:
        return None
    left = _look(env, ended, champion, look_again=look_again)
    if left is None:
        return None
    client("sns").publish(
        TopicArn=env.topic_arn,
        Subject=f"{env.pipeline}: an untested model serves",
        Message=message(env.pipeline, env.endpoint_name, ended, left),
        MessageAttributes={
            "pipeline": {"DataType": "String", "StringValue": env.pipeline},
            "status": {"DataType": "String", "StringValue": ended.status},
        },
    )
    # After it was told: rather twice than never.
    key, values = run_key(env.pipeline, ended.run), {":left": left.config}
    _update(env, key, "SET untested = :left", "attribute_exists(pk)", values)
    return left.config


def _look(env: Env, ended: Ended, champion: dict[str, Any] | None, *, look_again: bool) -> Left | None:
    """What the run left on the endpoint; looks for some seconds when an update may have begun only just now."""
    prefix = f"{env.environment}-{env.pipeline}-{ended.run}-"
    left = _left(env, prefix, champion)
    for pause in pauses(LOOK_SECONDS if look_again else 0):
        if left:
            break
        time.sleep(pause)
        left = _left(env, prefix, champion)
    return left


def _left(env: Env, prefix: str, champion: dict[str, Any] | None) -> Left | None:
    serving = _serving(env)
    config = serving.left_by(prefix, champion) if serving else None
    return Left(config, serving, champion) if serving and config else None


def _serving(env: Env) -> Serving | None:
    try:
        return Serving.of(client("sagemaker").describe_endpoint(EndpointName=env.endpoint_name))
    except ClientError as error:
        # SageMaker has no error of its own for it: a ValidationException, told apart by its text.
        if error_code(error) == "ValidationException" and "Could not find endpoint" in str(error):
            return None
        raise


def _update(env: Env, key: Key, expression: str, condition: str, values: dict[str, str]) -> bool:
    """Change an item if the condition holds; whether it did. A transaction on the same item passes."""
    names = {name: name[1:] for name in re.findall(r"#\w+", f"{expression} {condition}")}
    request = {
        "TableName": env.table_name,
        "Key": key,
        "UpdateExpression": expression,
        "ConditionExpression": condition,
        "ExpressionAttributeValues": {name: {"S": value} for name, value in values.items()},
        **({"ExpressionAttributeNames": names} if names else {}),
    }
    for pause in pauses(CONFLICT_SECONDS):
        try:
            client("dynamodb").update_item(**request)
        except ClientError as error:
            if error_code(error) == "ConditionalCheckFailedException":
                return False
            if error_code(error) != "TransactionConflictException":
                raise
            time.sleep(pause)
        else:
            return True
    raise RuntimeError(f"{key['sk']['S']} of {key['pk']['S']} was in transactions for {CONFLICT_SECONDS} seconds")
