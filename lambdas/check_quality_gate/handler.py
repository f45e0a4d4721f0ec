"""State `CheckQualityGate`: decide whether the trained model may be deployed."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import Any

from check_quality_gate.domain import decide
from shared.clients import client
from shared.env import read_env
from shared.log import log
from shared.table import champion_key, from_item


@dataclass(frozen=True)
class Env:
    """What the template gives this function."""

    pipeline: str
    table_name: str


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Return `{passed, clauses}`."""
    del context
    env = read_env(Env, os.environ)
    verdict = decide(event["gate"], event["metrics"], _champion_metrics(env))
    log("gate checked", passed=verdict["passed"], clauses=len(verdict["clauses"]))
    return verdict


def _champion_metrics(env: Env) -> dict[str, float] | None:
    key = champion_key(env.pipeline)
    item = client("dynamodb").get_item(TableName=env.table_name, Key=key, ConsistentRead=True).get("Item")
    if not item:
        return None
    metrics: dict[str, float] = json.loads(from_item(item)["metrics"])
    return metrics
