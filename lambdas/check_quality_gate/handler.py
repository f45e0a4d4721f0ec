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
from shared.table import champion_key, read_item


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
    champion = read_item(client("dynamodb"), env.table_name, champion_key(env.pipeline))
    return json.loads(champion["metrics"]) if champion else None
