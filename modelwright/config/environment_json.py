"""An environment's settings as JSON and back: how the Lambda that publishes merges knows those of the deploy."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from modelwright.config.environment import (
    AlarmSettings,
    EnvironmentSettings,
    LimitSettings,
    LogSettings,
    VpcSettings,
)


def environment_to_json(settings: EnvironmentSettings) -> str:
    """Return the settings as text: the same for the same settings."""
    return json.dumps(asdict(settings), sort_keys=True, indent=1, ensure_ascii=False)


def environment_from_json(text: str) -> EnvironmentSettings:
    """Return the settings that `environment_to_json` was asked for."""
    found: dict[str, Any] = json.loads(text)
    vpc, limits = found["vpc"], found["limits"]
    parts = {
        "logs": LogSettings(**found["logs"]),
        "alarms": AlarmSettings(**found["alarms"]),
        "limits": LimitSettings(**{**limits, "instances": tuple(limits["instances"])}),
        "notify_emails": tuple(found["notify_emails"]),
        "vpc": vpc and VpcSettings(**{name: _tuple(value) for name, value in vpc.items()}),
    }
    return EnvironmentSettings(**{**found, **parts})


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
