"""One pipeline while its stack is built: where its resources go, and what decides how they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from stacks.constructs.alarms import Alarms
from stacks.grants.guards import Guards
from stacks.grants.serving_image import repository_arn
from stacks.grants.target import Target
from stacks.images import image_repositories
from stacks.shared import Shared, read_shared

if TYPE_CHECKING:
    from aws_cdk import Stack
    from aws_cdk import aws_iam as iam
    from aws_cdk import aws_lambda as lambda_
    from aws_cdk import aws_sns as sns

    from modelwright.config.environment import EnvironmentSettings
    from modelwright.config.structure import PipelineStructure
    from stacks.constructs.endpoint_alarms import EndpointAlarms
    from stacks.constructs.serving_image import ServingImage
    from stacks.names import PipelineNames


@dataclass(frozen=True)
class Building:
    """What every part of a pipeline's stack is made from."""

    stack: Stack
    settings: EnvironmentSettings
    structure: PipelineStructure
    names: PipelineNames
    shared: Shared
    target: Target
    alarms: Alarms

    @property
    def has_endpoint(self) -> bool:
        """Whether the pipeline deploys its models."""
        return self.structure.endpoint != "none"

    @property
    def key(self) -> dict[str, str]:
        """The environment's own key, by the name that outputs and placeholders have for it; empty without one."""
        return {"KeyArn": self.shared.key_arn} if self.shared.key_arn else {}


@dataclass(frozen=True)
class Workers:
    """What the state machine sets to work; None where this pipeline has none."""

    job_roles: dict[str, iam.CfnRole]
    """By what SageMaker does with them."""
    functions: dict[str, lambda_.CfnFunction]
    """By the placeholders of their ARNs."""
    image: ServingImage | None
    endpoint_alarms: EndpointAlarms | None
    answers: sns.CfnTopic | None


def begin(stack: Stack, settings: EnvironmentSettings, structure: PipelineStructure, names: PipelineNames) -> Building:
    """Read into `stack` what the environment shares, and settle what the pipeline's roles may reach."""
    shared = read_shared(stack, settings.name, own_key=settings.key == "customer-managed")
    images = image_repositories(settings.region, names.prefix)
    serving = (repository_arn(settings.name),)
    guards = Guards.of(settings, shared.key_arn)
    target = Target(names, shared, structure.external_data, images, guards, serving)
    return Building(stack, settings, structure, names, shared, target, Alarms(stack, shared.topic_arn))
