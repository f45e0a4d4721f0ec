"""State `JudgeShadow`: what a new model did with the copies of the requests that it got."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from judge_shadow.domain import MICROSECONDS_A_MS, Levels, Watched, judge
from shared.clients import client
from shared.env import read_env
from shared.log import log

MINUTE_SECONDS = 60
LATE_SECONDS = 90.0
"""So long metrics may be on their way: nothing is judged before."""
_QUERIES = {
    "requests": ("Shadow", "Invocations", "Sum"),
    "errors": ("Shadow", "Invocation5XXErrors", "Sum"),
    "latency": ("Shadow", "ModelLatency", "p99"),
    "served": ("Main", "Invocations", "Sum"),
}


@dataclass(frozen=True)
class Env:
    """What the template gives this function."""

    endpoint_name: str
    error_percent: str
    latency_ms: str


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Return whether the model may answer, why, and what was seen."""
    del context
    env = read_env(Env, os.environ)
    since = datetime.fromisoformat(event["since"])
    variants = {"Shadow": event["variant"], "Main": event["champion"]}
    found = _read(env, variants, since)
    if not found["requests"] and found["served"]:  # the copies' metrics may come later than the requests' own
        time.sleep(min(LATE_SECONDS, (datetime.now(UTC) - since).total_seconds()))
        found = _read(env, variants, since)
    latency = found["latency"] / MICROSECONDS_A_MS if found["latency"] is not None else None
    watched = Watched(int(found["requests"] or 0), int(found["errors"] or 0), latency, int(found["served"] or 0))
    verdict = judge(watched, Levels(float(env.error_percent), float(env.latency_ms)))
    log("shadow judged", **verdict)
    return verdict


def _read(env: Env, variants: dict[str, str], since: datetime) -> dict[str, float | None]:
    """The metrics from `since` on: counts in all, of the latency the worst minute.

    Of the minute in which it began, too: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html
    """
    pages = (
        client("cloudwatch")
        .get_paginator("get_metric_data")
        .paginate(
            MetricDataQueries=[_query(env, variants, id_) for id_ in _QUERIES],
            StartTime=since.replace(second=0, microsecond=0),
            EndTime=datetime.now(UTC) + timedelta(minutes=1),
        )
    )
    values: dict[str, list[float]] = {id_: [] for id_ in _QUERIES}
    for page in pages:
        for result in page["MetricDataResults"]:
            values[result["Id"]] += result["Values"]
    latency = max(values.pop("latency"), default=None)
    return {**{id_: sum(found) for id_, found in values.items()}, "latency": latency}


def _query(env: Env, variants: dict[str, str], id_: str) -> dict[str, Any]:
    which, name, statistic = _QUERIES[id_]
    dimensions = {"EndpointName": env.endpoint_name, "VariantName": variants[which]}
    metric = {
        "Namespace": "AWS/SageMaker",
        "MetricName": name,
        "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
    }
    return {"Id": id_, "MetricStat": {"Metric": metric, "Period": MINUTE_SECONDS, "Stat": statistic}}
