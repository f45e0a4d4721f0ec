"""Where a caller works: one environment of one account, and the ARNs of what is in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from modelwright.client.deployment import stack_name
from modelwright.client.doctor.identity import partition_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from modelwright.config.environment import EnvironmentSettings


@dataclass(frozen=True)
class Place:
    """One environment of one account, and the pipelines that the caller works with."""

    environment: str
    region: str
    account: str
    pipelines: tuple[str, ...]
    qualifier: str = "hnb659fds"
    partition: str = "aws"
    own_key: bool = True
    """Whether the environment has a key of its own (`key: customer-managed`)."""

    def arn(self, service: str, resource: str, *, account: str | None = None) -> str:
        """Return the ARN, or its pattern, of a resource in this account and region."""
        owner = self.account if account is None else account
        return f"arn:{self.partition}:{service}:{self.region}:{owner}:{resource}"

    def each(self, service: str, resource: str) -> list[str]:
        """Return one such ARN a pipeline: `{name}` is what its resources are called or begin with."""
        names = [stack_name(self.environment, pipeline) for pipeline in self.pipelines]
        return [self.arn(service, resource.format(name=name)) for name in names]

    def bucket(self, which: str) -> str:
        """Return the pattern of a bucket's ARN: CloudFormation names it after its stack and its logical id."""
        return f"arn:{self.partition}:s3:::mw-{self.environment}-data-{which}bucket-*"

    def parameters(self, *names: str) -> list[str]:
        """Return the ARNs of the environment's own parameters."""
        return [self.arn("ssm", f"parameter/modelwright/{self.environment}/{name}") for name in names]

    @property
    def artifacts(self) -> str:
        """The pattern of the artifact bucket's ARN."""
        return self.bucket("artifact")

    def objects(self, folders: Iterable[str]) -> list[str]:
        """Return the patterns of the pipelines' objects in the artifact bucket, with those that schedules run."""
        found = [f"{self.artifacts}/{folder}/{pipeline}/*" for pipeline in self.pipelines for folder in folders]
        return [*found, *(f"{self.artifacts}/defaults/{pipeline}.json" for pipeline in self.pipelines)]


def place_of(settings: EnvironmentSettings, pipelines: tuple[str, ...]) -> Place:
    """Return the place that an environment file names; `ACCOUNT` stands for an account that it does not."""
    return Place(
        settings.name,
        settings.region,
        settings.account or "ACCOUNT",
        pipelines,
        settings.qualifier or "hnb659fds",
        partition_of(settings.region),
        settings.key == "customer-managed",
    )
