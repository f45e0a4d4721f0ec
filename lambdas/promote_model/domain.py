"""The one transaction that makes a model the champion. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from shared.table import champion_key, lease_key, run_key, to_item


@dataclass(frozen=True)
class Promotion:
    """The run that becomes the champion, and the lease under which it does."""

    execution: str
    fence: int
    run: str
    started_at: str
    release: str
    package_arn: str
    endpoint_config: str
    metrics: dict[str, float]
    model: dict[str, str]
    """`uri`, `sha256` and `serve` (python, onnx) of what serves; empty from a state machine of before."""

    @classmethod
    def from_event(cls, event: dict[str, Any]) -> Promotion:
        """Read the state's payload."""
        return cls(**{name: event[name] for name in cls.__dataclass_fields__ if name != "model"}, model=_model(event))


def _model(event: dict[str, Any]) -> dict[str, str]:
    given = event.get("model", {})
    return {name: given[name] for name in ("uri", "sha256", "serve") if name in given}


def champion_item(promotion: Promotion, pipeline: str) -> dict[str, Any]:
    """The pointer's item."""
    values = {
        "run": promotion.run,
        "run_started_at": promotion.started_at,
        "release": promotion.release,
        "package_arn": promotion.package_arn,
        "endpoint_config": promotion.endpoint_config,
        "metrics": json.dumps(promotion.metrics, sort_keys=True),
        "execution": promotion.execution,
        "fence": promotion.fence,
        **{name if name == "serve" else f"model_{name}": value for name, value in promotion.model.items()},
    }
    return {**champion_key(pipeline), **to_item(values)}


def transaction(promotion: Promotion, pipeline: str, endpoint: str, table: str, now: str) -> list[dict[str, Any]]:
    """All or nothing: the lease is this run's, the pointer moves forward, the run is Deployed."""
    lease = {
        "TableName": table,
        "Key": lease_key(endpoint),
        "ConditionExpression": "#execution = :execution AND fence = :fence",
        "ExpressionAttributeNames": {"#execution": "execution"},
        "ExpressionAttributeValues": {
            ":execution": {"S": promotion.execution},
            ":fence": {"N": str(promotion.fence)},
        },
    }
    pointer = {
        "TableName": table,
        "Item": champion_item(promotion, pipeline),
        "ConditionExpression": "attribute_not_exists(fence) OR fence <= :fence",
        "ExpressionAttributeValues": {":fence": {"N": str(promotion.fence)}},
    }
    run = {
        "TableName": table,
        "Key": run_key(pipeline, promotion.run),
        "UpdateExpression": "SET #status = :status, ended_at = :now, package_arn = :package",
        "ExpressionAttributeNames": {"#status": "status"},
        "ExpressionAttributeValues": {
            ":status": {"S": "Deployed"},
            ":now": {"S": now},
            ":package": {"S": promotion.package_arn},
        },
    }
    return [{"ConditionCheck": lease}, {"Put": pointer}, {"Update": run}]
