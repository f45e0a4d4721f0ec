"""An environment's settings: `environments/<env>.yaml` as frozen values. `read_environment.py` makes them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

LOCAL_ACCOUNT = "123456789012"
OWN_TAGS = ("modelwright:environment", "modelwright:pipeline", "modelwright:run", "modelwright:release")
"""Keys of the tags that every job, model and endpoint has anyway."""


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
    endpoint_4xx_percent: float = 20.0
    """Answers with a 4xx status, of all: callers that send what the model does not take."""
    days_without_training: int = 7
    """Days without a successful run; a CloudWatch alarm looks back 7 days at most."""
    metric_floors: Mapping[str, float] = field(default_factory=dict)
    """Metrics of evaluation.json, and the value under which one of them is an alarm."""


@dataclass(frozen=True)
class LimitSettings:
    """What a pipeline in this environment may ask for; a pipeline that asks for more is an error."""

    max_runtime_seconds: int = 86400
    """Of each job."""
    max_instance_count: int = 4
    max_volume_gib: int = 100
    instances: tuple[str, ...] = ()
    """The instance types that may be asked for, `*` standing for any text; empty: all."""
    max_runs_per_day: int | None = None
    """Executions of one pipeline that may begin in one day of UTC, whatever starts them; None: no limit."""
    max_wait_for_endpoint_seconds: int = 3600
    """How long a run waits for the endpoint to be in service."""
    lease_seconds: int = 18_000
    """How long a run may hold an endpoint before another run takes it for dead. It waits for the endpoint up to three
    times: until it is free to be updated, until it is, and, when that fails, until it serves as before."""


@dataclass(frozen=True)
class VpcSettings:
    """The network that jobs and endpoints run in."""

    subnets: tuple[str, ...]
    security_groups: tuple[str, ...]
    id: str | None = None
    """Needed when endpoints are created."""
    route_tables: tuple[str, ...] = ()
    """Those of the subnets, for S3's gateway endpoint. Needed when endpoints are created."""
    endpoints: Literal["existing", "create"] = "existing"


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
    key: Literal["customer-managed", "aws-owned"] = "customer-managed"
    """Whose key encrypts what is at rest: one of the environment's own in KMS, or those that AWS owns."""
    vpc: VpcSettings | None = None
    """None: jobs and endpoints run in SageMaker's own network."""
    permissions_boundary: str | None = None
    """The ARN of the policy that bounds every role."""
    role_path: str = "/"
    """The path of every role."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """On every resource, job and model."""
    qualifier: str | None = None
    """Of the CDK bootstrap stack; None: CDK's default."""
    oidc_provider: str | None = None
    """`create`, or the ARN of the account's provider for GitHub's tokens; None: no pipeline is merged on GitHub."""
    api_logs: Literal["existing", "create"] = "existing"
    """Who sets the role with which API Gateway writes logs: the account has one for all APIs of a region."""

    @property
    def prefix(self) -> str:
        """Return what every physical name begins with: `mw-<env>`."""
        return f"mw-{self.name}"
