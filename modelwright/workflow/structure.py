"""What the state machine needs to know of a pipeline's structure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

EndpointKind = Literal["realtime", "none"]
ENDPOINT_KINDS: tuple[EndpointKind, ...] = ("realtime", "none")


class Structure(Protocol):
    """The part of a pipeline's structure that shapes its state machine; `modelwright.config` provides it."""

    @property
    def pipeline(self) -> str:
        """The pipeline's name: at most 20 characters."""

    @property
    def endpoint(self) -> str:
        """How the model is served: one of ENDPOINT_KINDS."""


@dataclass(frozen=True)
class Limits:
    """How long the parts of an execution may take. The sum of what happens under a lease fits into the lease."""

    execution_seconds: int = 7 * 24 * 3600
    job_overhead_seconds: int = (
        3600  # provisioning, pulling the image, downloading and uploading around a job's own time
    )
    deployment_seconds: int = 3600  # an endpoint's way to InService
    lease_wait_seconds: int = 4 * 3600  # waiting for another run's deployment
    lease_seconds: int = 3 * 3600  # deployment, smoke test, promotion, and restoring when one of them fails


@dataclass(frozen=True)
class WorkflowStructure:
    """A plain `Structure`, for tests and generated documents."""

    pipeline: str
    endpoint: str = "realtime"
