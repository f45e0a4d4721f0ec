"""States `PrepareScaling` and `SetScaling`: put an endpoint's scaling aside before an update, set it afterwards."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import Any

from scale_endpoint import domain
from shared import scaling
from shared.clients import client
from shared.endpoint import BUSY
from shared.env import read_env
from shared.log import log
from shared.patience import pauses

REST_SECONDS = 480.0
"""So long machines may take to come or go for the load: meanwhile SageMaker refuses an update."""


@dataclass(frozen=True)
class Env:
    """What the template gives this function."""

    endpoint_name: str


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Return how the endpoint scaled, and what UpdateEndpoint is told of it; or how it scales now."""
    del context
    env = read_env(Env, os.environ)
    return _prepare(env, event) if event["action"] == "prepare" else _set(env, event)


def _prepare(env: Env, event: dict[str, Any]) -> dict[str, Any]:
    """Read how the endpoint scales; what the update would be refused for is taken away. Repeated, it finds less.

    Machines of an endpoint that may have none stay until `set_target`, when the new model answers or the old one again.
    """
    before = _instance_types(env)
    after = {variant["VariantName"]: variant.get("InstanceType", "") for variant in event["variants"]}
    found = scaling.read_targets(env.endpoint_name, sorted(before))
    removed = [name for name in domain.refused(before, after) if scaling.remove_target(env.endpoint_name, name)]
    held = [name for name in domain.held(found, event["kind"]) if name not in removed]
    for name in held:
        scaling.hold_machines(env.endpoint_name, name)
    if held:
        _at_rest(env)  # what had begun to go meanwhile
    retained = domain.kept_number(found, sorted(after), event["kind"])
    log("scaling prepared", scaled=[target["variant"] for target in found], removed=removed, held=held)
    return {"found": True, "targets": found, "retained": retained}


def _set(env: Env, event: dict[str, Any]) -> dict[str, Any]:
    wanted = domain.targets(env.endpoint_name, event["variants"], event["autoscaling"])
    for target in wanted:
        scaling.set_target(env.endpoint_name, target)
    if event["autoscaling"]["min"] > 0:
        scaling.remove_alarm(env.endpoint_name)
    log("scaling set", variants=[target["variant"] for target in wanted])
    limits = {name: event["autoscaling"][name] for name in ("min", "max")}
    return {"variants": len(wanted), **limits}


def _instance_types(env: Env) -> dict[str, str]:
    """The machine of each variant that serves now, looked at when the endpoint is not about to scale."""
    sagemaker = client("sagemaker")
    config = _at_rest(env)["EndpointConfigName"]
    variants = sagemaker.describe_endpoint_config(EndpointConfigName=config)["ProductionVariants"]
    return {variant["VariantName"]: variant.get("InstanceType", "") for variant in variants}


def _at_rest(env: Env) -> dict[str, Any]:
    """What the endpoint is when nothing changes it; one that never rests is left to the update's refusal."""
    sagemaker = client("sagemaker")
    found: dict[str, Any] = sagemaker.describe_endpoint(EndpointName=env.endpoint_name)
    for pause in pauses(REST_SECONDS):
        if found["EndpointStatus"] not in BUSY:
            break
        time.sleep(pause)
        found = sagemaker.describe_endpoint(EndpointName=env.endpoint_name)
    return found
