"""What one pipeline must not lose: its images and its registered models."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_sagemaker as sagemaker

from stacks.constructs.encryption_key import NO_KEY
from stacks.names import PipelineNames
from stacks.policy_checks import accept_checkov
from stacks.removal import KEPT
from stacks.shared import shared_value

if TYPE_CHECKING:
    from aws_cdk import Environment
    from constructs import Construct

    from modelwright.config.environment import EnvironmentSettings

_EXPIRE_UNTAGGED = {
    "rules": [
        {
            "rulePriority": 1,
            "description": "Layers that no tag names",
            "selection": {
                "tagStatus": "untagged",
                "countType": "sinceImagePushed",
                "countUnit": "days",
                "countNumber": 14,
            },
            "action": {"type": "expire"},
        }
    ]
}


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
        repository = ecr.CfnRepository(
            self,
            "Repository",
            repository_name=names.prefix,
            encryption_configuration=self._encryption(settings),
            image_scanning_configuration={"scanOnPush": True},
            image_tag_mutability="IMMUTABLE",
            lifecycle_policy={"lifecyclePolicyText": json.dumps(_EXPIRE_UNTAGGED, sort_keys=True)},
        )
        repository.apply_removal_policy(removal)
        if settings.key == "aws-owned":
            accept_checkov(repository, {"CKV_AWS_136": NO_KEY})
        group = sagemaker.CfnModelPackageGroup(
            self,
            "ModelPackageGroup",
            model_package_group_name=names.prefix,
            # never to be corrected: CloudFormation would have to replace the group, and cannot, as it has a name
            model_package_group_description=f"Models of the pipeline {pipeline} ({settings.name})",
        )
        group.apply_removal_policy(removal)

    def _encryption(self, settings: EnvironmentSettings) -> dict[str, str]:
        """Return how images are encrypted; it cannot change later: https://docs.aws.amazon.com/AmazonECR/latest/userguide/encryption-at-rest.html."""
        if settings.key == "aws-owned":
            return {"encryptionType": "AES256"}
        return {"encryptionType": "KMS", "kmsKey": shared_value(self, settings.name, "key-arn")}
