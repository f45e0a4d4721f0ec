"""What the grants of one pipeline are about: its names, what it shares, and the ARNs made from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aws_cdk import Aws

from modelwright.workflow.run_names import name_pattern
from stacks.policies import Statement, arn, objects

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stacks.grants.guards import Guards
    from stacks.names import PipelineNames
    from stacks.shared import Shared


@dataclass(frozen=True)
class Target:
    """One pipeline in one environment, as the grants see it."""

    names: PipelineNames
    shared: Shared
    external_data: str | None
    """An address in S3 outside our own buckets that the data may be read from."""
    images: tuple[str, ...]
    """The ARNs of the ECR repositories that hold the images of jobs and endpoints."""
    guards: Guards
    """What the environment allows a run to ask for."""
    serving_images: tuple[str, ...] = ()
    """The repository of the images that compile models and serve them: what served before may be in one of them, also
    where AWS's image serves now, and a deployment that is undone brings it back."""

    @property
    def pipeline(self) -> str:
        """The pipeline's name."""
        return self.names.pipeline

    def artifacts(self, *prefixes: str) -> tuple[str, ...]:
        """Return the ARNs of the artifact bucket's objects under `prefixes`, which may hold `*`."""
        return objects(self.shared.artifact_bucket, *prefixes)

    def jobs(self, kind: str, *steps: str) -> tuple[str, ...]:
        """Return the ARNs of the SageMaker jobs of `steps`."""
        return tuple(arn("sagemaker", f"{kind}/{self._run_names(step)}") for step in steps)

    def per_run(self, kind: str) -> str:
        """Return the ARN of what each run makes one of: a `model`, an `endpoint-config`."""
        return arn("sagemaker", f"{kind}/{self._run_names()}")

    def _run_names(self, step: str | None = None) -> str:
        return name_pattern(self.names.environment, self.pipeline, step)

    def use_key(
        self, sid: str, *actions: str, conditions: Mapping[str, Mapping[str, Any]] | None = None
    ) -> tuple[Statement, ...]:
        """Return the statement about the environment's key; none where AWS's own keys are used: they ask nobody."""
        key = self.shared.key_arn
        return (Statement(sid, actions, (key,), conditions or {}),) if key else ()

    @property
    def table(self) -> str:
        """The table's ARN."""
        return arn("dynamodb", f"table/{self.shared.table_name}")

    @property
    def endpoint(self) -> str:
        """The endpoint's ARN."""
        return arn("sagemaker", f"endpoint/{self.names.prefix}")

    @property
    def package_group(self) -> str:
        """The ARN of the model package group."""
        return arn("sagemaker", f"model-package-group/{self.names.prefix}")

    @property
    def packages(self) -> str:
        """The ARNs of the versions in the model package group."""
        return arn("sagemaker", f"model-package/{self.names.prefix}/*")


def via(service: str) -> dict[str, dict[str, str]]:
    """Return the condition that the key is used through `service` only.

    https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-via-service
    """
    return {"StringEquals": {"kms:ViaService": f"{service}.{Aws.REGION}.amazonaws.com"}}
