"""What one pipeline must not lose: its images and its registered models."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_sagemaker as sagemaker

from stacks.names import PipelineNames
from stacks.shared import shared_value

if TYPE_CHECKING:
    from constructs import Construct

    from aws_cdk import Environment

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

    def __init__(self, scope: Construct, environment: str, pipeline: str, env: Environment | None) -> None:
        """Make the kept stack of `pipeline` in `environment`."""
        names = PipelineNames(environment, pipeline)
        super().__init__(
            scope,
            names.data_stack,
            env=env,
            termination_protection=True,
            description=f"modelwright {environment}: images and registered models of {pipeline}. Kept.",
        )
        key = shared_value(self, environment, "key-arn")
        repository = ecr.CfnRepository(
            self,
            "Repository",
            repository_name=names.prefix,
            encryption_configuration={"encryptionType": "KMS", "kmsKey": key},
            image_scanning_configuration={"scanOnPush": True},
            image_tag_mutability="IMMUTABLE",
            lifecycle_policy={"lifecyclePolicyText": json.dumps(_EXPIRE_UNTAGGED, sort_keys=True)},
        )
        repository.apply_removal_policy(RemovalPolicy.RETAIN)
        group = sagemaker.CfnModelPackageGroup(
            self,
            "ModelPackageGroup",
            model_package_group_name=names.prefix,
            model_package_group_description=f"Models of the pipeline {pipeline} ({environment})",
        )
        group.apply_removal_policy(RemovalPolicy.RETAIN)
