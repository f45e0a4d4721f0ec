"""State `WatchEndpoint`: look for a few seconds whether the endpoint serves the new model.

A machine of AWS takes minutes: most of the wait is the state machine's own, between two looks of this function.
What is quick is seen quickly, without a state for each look.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import Any

from shared.clients import client
from shared.endpoint import BUSY
from shared.env import read_env
from shared.log import log
from shared.patience import pauses
from watch_endpoint.domain import Look, judge

WATCH_SECONDS = 10.0


@dataclass(frozen=True)
class Env:
    """What the template gives this function."""

    endpoint_name: str


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Return the outcome so far, and what was seen last."""
    del context
    env = read_env(Env, os.environ)
    asked, certain = event["endpoint_config"], event["polls"] > 0
    look = _look(env.endpoint_name)
    for pause in pauses(WATCH_SECONDS):
        certain = certain or look.status in BUSY
        if judge(look, asked, certain=certain) != "Waiting":
            break
        time.sleep(pause)
        look = _look(env.endpoint_name)
    outcome = judge(look, asked, certain=True)
    log("endpoint watched", outcome=outcome, endpoint_status=look.status, endpoint_config=look.config)
    return {"outcome": outcome, "status": look.status, "endpointConfig": look.config, "reason": look.reason}


def _look(endpoint: str) -> Look:
    found = client("sagemaker").describe_endpoint(EndpointName=endpoint)
    reason = found.get("FailureReason", Look.reason)
    return Look(found["EndpointStatus"], found["EndpointConfigName"], reason)
