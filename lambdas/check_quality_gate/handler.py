"""State `CheckQualityGate`: decide whether the trained model may be deployed, and publish the floors that it missed.

The floors are in the release, so no alarm can know them; it is about what is published here.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import Any

from check_quality_gate.domain import decide, floors_missed
from shared.clients import client
from shared.env import read_env
from shared.log import log
from shared.table import champion_key, read_item

NAMESPACE = "Modelwright"
FLOORS_MISSED = "GateFloorsMissed"


@dataclass(frozen=True)
class Env:
    """What the template gives this function."""

    pipeline: str
    environment: str
    table_name: str


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Return `{passed, clauses}`."""
    del context
    env = read_env(Env, os.environ)
    verdict = decide(event["gate"], event["metrics"], _champion_metrics(env))
    missed = floors_missed(event["gate"], verdict["clauses"])
    _publish(env, missed)
    log("gate checked", passed=verdict["passed"], clauses=len(verdict["clauses"]), missed=missed)
    return verdict


def _publish(env: Env, missed: int) -> None:
    """Also when none is missed: that ends the alarm of the model before."""
    dimensions = [{"Name": "Environment", "Value": env.environment}, {"Name": "Pipeline", "Value": env.pipeline}]
    datum = {"MetricName": FLOORS_MISSED, "Dimensions": dimensions, "Value": missed, "Unit": "Count"}
    client("cloudwatch").put_metric_data(Namespace=NAMESPACE, MetricData=[datum])


def _champion_metrics(env: Env) -> dict[str, float] | None:
    champion = read_item(client("dynamodb"), env.table_name, champion_key(env.pipeline))
    return json.loads(champion["metrics"]) if champion else None
