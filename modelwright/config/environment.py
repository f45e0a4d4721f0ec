"""An environment's settings: `environments/<env>.yaml` as frozen values. `read_environment.py` makes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

LOCAL_ACCOUNT = "123456789012"


@dataclass(frozen=True)
class LogSettings:
    """How long logs are kept."""

    retention_days: int = 30


@dataclass(frozen=True)
class AlarmSettings:
    """When an alarm goes off."""

    endpoint_latency_ms: int = 1000
    """The 99th percentile of an endpoint's model latency. CloudWatch counts it in microseconds."""
    endpoint_error_percent: float = 5.0
    """Answers with a 5xx status, of all."""
    days_without_training: int = 7
    """Days without a successful run; a CloudWatch alarm looks back 7 days at most."""


@dataclass(frozen=True)
class LimitSettings:
    """What a pipeline in this environment may ask for; a pipeline that asks for more is an error."""

    max_runtime_seconds: int = 86400
    """Of each job."""
    max_instance_count: int = 4
    max_volume_gib: int = 100
    max_wait_for_endpoint_seconds: int = 3600
    """How long a run waits for the endpoint to be in service."""
    lease_seconds: int = 18_000
    """How long a run may hold an endpoint before another run takes it for dead. It waits for the endpoint up to three
    times: until it is free to be updated, until it is, and, when that fails, until it serves as before."""


@dataclass(frozen=True)
class EnvironmentSettings:
    """One environment: an account, a region, and the operator's values for them."""

    name: str
    region: str
    account: str | None = None
    """None: whichever account the credentials belong to. The local cloud has its own."""
    logs: LogSettings = LogSettings()
    notify_emails: tuple[str, ...] = ()
    alarms: AlarmSettings = AlarmSettings()
    limits: LimitSettings = LimitSettings()
    removal: Literal["retain", "destroy"] = "retain"
    """What happens to buckets, table and key when their stack is deleted."""

    @property
    def prefix(self) -> str:
        """Return what every physical name begins with: `mw-<env>`."""
        return f"mw-{self.name}"
