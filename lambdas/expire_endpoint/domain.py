"""When an endpoint that nobody deployed to has served its time. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any


def expires_at(deployed_at: str | datetime, ttl_hours: int) -> datetime:
    """Return when an endpoint ends whose last deployment ended at `deployed_at`."""
    at = deployed_at if isinstance(deployed_at, datetime) else datetime.fromisoformat(deployed_at)
    return at + timedelta(hours=ttl_hours)


def message(pipeline: str, endpoint: str, ttl_hours: int, champion: dict[str, Any] | None) -> str:
    """What a person reads: what is gone, why, and how it comes back."""
    model = f"run {champion['run']}, release {champion['release']}" if champion else "none was promoted"
    return (
        f"The endpoint {endpoint} was deleted: its last deployment is more than {ttl_hours} hours ago "
        "(deploy.ttl_hours in pipeline.yaml).\n"
        f"Champion: {model}. Its model and configuration are kept; nothing answers until the next deployment.\n"
        f"What to do: modelwright run {pipeline} makes the endpoint again."
    )
