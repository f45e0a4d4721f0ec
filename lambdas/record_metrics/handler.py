"""State `RecordMetrics`: the evaluation's metrics go into the run's item and into CloudWatch."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import Any

from record_metrics import domain
from shared.clients import client
from shared.env import read_env
from shared.log import log
from shared.s3 import Location, read_object
from shared.table import run_key

NAMESPACE = "Modelwright"
MAX_EVALUATION_BYTES = 10 * 1024 * 1024


@dataclass(frozen=True)
class Env:
    """What the template gives this function."""

    pipeline: str
    environment: str
    artifact_bucket: str
    table_name: str


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Return the metrics."""
    del context
    env = read_env(Env, os.environ)
    uri = event["evaluation_uri"]
    content = read_object(client("s3"), Location.from_uri(uri), max_bytes=MAX_EVALUATION_BYTES)
    metrics = domain.parse_evaluation(content, uri)
    client("dynamodb").update_item(
        TableName=env.table_name,
        Key=run_key(env.pipeline, event["run"]),
        UpdateExpression="SET #metrics = :metrics",  # a reserved word
        ExpressionAttributeNames={"#metrics": "metrics"},
        ExpressionAttributeValues={":metrics": {"S": json.dumps(metrics, sort_keys=True)}},
    )
    data = domain.metric_data(metrics, env.pipeline, env.environment)
    if data:
        client("cloudwatch").put_metric_data(Namespace=NAMESPACE, MetricData=data)
    log("metrics recorded", run=event["run"], metrics=len(metrics), published=len(data))
    return {"metrics": metrics}
