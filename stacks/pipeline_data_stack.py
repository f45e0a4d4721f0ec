"""What one pipeline must not lose: its images and its registered models."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_sagemaker as sagemaker

from stacks.constructs.image_repository import image_repository
from stacks.names import PipelineNames
from stacks.removal import KEPT
from stacks.shared import shared_value

if TYPE_CHECKING:
    from aws_cdk import Environment
    from constructs import Construct

    from modelwright.config.environment import EnvironmentSettings


class PipelineDataStack(Stack):
    """The pipeline's ECR repository and model package group: kept when the stack goes, and protected from going."""

    def __init__(self, scope: Construct, settings: EnvironmentSettings, pipeline: str, env: Environment) -> None:
        """Make the stack of `pipeline` in the environment with these `settings`."""
        names = PipelineNames(settings.name, pipeline)
        keep = settings.removal == "retain"
        removal = KEPT if keep else RemovalPolicy.DESTROY
        super().__init__(
            scope,
            names.data_stack,
            env=env,
            termination_protection=keep,
            description=f"modelwright {settings.name}: images and registered models of {pipeline}",
        )
        key = shared_value(self, settings.name, "key-arn") if settings.key == "customer-managed" else None
        image_repository(self, "Repository", names.prefix, key, keep=keep)
        group = sagemaker.CfnModelPackageGroup(
            self,
            "ModelPackageGroup",
            model_package_group_name=names.prefix,
            # never to be corrected: CloudFormation would have to replace the group, and cannot, as it has a name
            model_package_group_description=f"Models of the pipeline {pipeline} ({settings.name})",
        )
        group.apply_removal_policy(removal)
