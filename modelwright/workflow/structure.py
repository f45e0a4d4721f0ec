"""What the state machine needs to know of a pipeline's structure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

EndpointKind = Literal["realtime", "serverless", "async", "multi-model", "none"]
ENDPOINT_KINDS: tuple[EndpointKind, ...] = ("realtime", "serverless", "async", "multi-model", "none")
UNGUARDED = "serverless"
"""The kind without deployment guardrails: https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails.html"""


class Structure(Protocol):
    """The part of a pipeline's structure that shapes its state machine; `modelwright.config` provides it."""

    @property
    def pipeline(self) -> str:
        """The pipeline's name: at most 20 characters."""

    @property
    def endpoint(self) -> str:
        """How the model is served: one of ENDPOINT_KINDS."""

    @property
    def autoscaling(self) -> bool:
        """Whether the number of its instances follows its load."""

    @property
    def capture(self) -> bool:
        """Whether its requests and answers are kept."""

    @property
    def shadow(self) -> bool:
        """Whether a new model first gets copies of the requests."""

    @property
    def compiled(self) -> bool:
        """Whether models are compiled, where that gives the same answers."""

    @property
    def script_image(self) -> bool:
        """Whether scripts are served by our own image, and models never compiled."""


LEASE_MARGIN_SECONDS = 1800
"""How much longer a run should wait for a lease than one can last: whoever lost its holder does not fail the next."""


@dataclass(frozen=True)
class Limits:
    """How long the parts of an execution may take. What happens under a lease fits into it."""

    execution_seconds: int = 7 * 24 * 3600
    deployment_seconds: int = 3600
    """An endpoint's way to InService (`limits.max_wait_for_endpoint_seconds` of the environment)."""
    lease_wait_seconds: int = 18_000 + LEASE_MARGIN_SECONDS
    """Waiting for another run's deployment."""


@dataclass(frozen=True)
class Network:
    """Where in a VPC jobs and endpoints run."""

    subnets: tuple[str, ...]
    security_groups: tuple[str, ...]


@dataclass(frozen=True)
class Surroundings:
    """What of its environment shapes a pipeline's state machine."""

    environment: str = "dev"
    """Its name: at most 12 characters, and no hyphen among them."""
    limits: Limits = field(default_factory=Limits)
    tags: Mapping[str, str] = field(default_factory=dict)
    """On everything that a run makes, beside modelwright's own."""
    own_key: bool = True
    """Whether the environment has a key in KMS, which outputs of jobs are then encrypted with."""
    network: Network | None = None
    """None: SageMaker's own network."""


@dataclass(frozen=True)
class WorkflowStructure:
    """What every state's function is given."""

    pipeline: str
    endpoint: str = "realtime"
    surroundings: Surroundings = field(default_factory=Surroundings)
    autoscaling: bool = False
    capture: bool = False
    shadow: bool = False
    compiled: bool = False
    script_image: bool = False

    @classmethod
    def of(cls, structure: Structure, surroundings: Surroundings) -> WorkflowStructure:
        """Return what of a pipeline's structure the states need, in its environment."""
        return cls(
            structure.pipeline,
            structure.endpoint,
            surroundings,
            autoscaling=structure.autoscaling,
            capture=structure.capture,
            shadow=structure.shadow,
            compiled=structure.compiled,
            script_image=structure.script_image,
        )

    @property
    def guarded(self) -> bool:
        """Whether alarms can send an update of the endpoint back."""
        return self.endpoint not in (UNGUARDED, "none")

    @property
    def environment(self) -> str:
        """The environment's name."""
        return self.surroundings.environment

    @property
    def limits(self) -> Limits:
        """How long the parts of an execution may take."""
        return self.surroundings.limits

    @property
    def vpc_config(self) -> dict[str, Any]:
        """The member of a request that names the network; none in SageMaker's own.

        https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_VpcConfig.html
        """
        network = self.surroundings.network
        if network is None:
            return {}
        found = {"SecurityGroupIds": list(network.security_groups), "Subnets": list(network.subnets)}
        return {"VpcConfig": found}

    @property
    def output_key(self) -> dict[str, str]:
        """The member of a job's output that names the key; none without a key of the environment's own.

        Without it, S3 encrypts with the bucket's default or, what a training job writes, with the account's aws/s3:
        https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_OutputDataConfig.html
        """
        return {"KmsKeyId": "${KeyArn}"} if self.surroundings.own_key else {}
