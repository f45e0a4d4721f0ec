"""ECR repositories: encrypted, scanned, their tags never moved."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from aws_cdk import RemovalPolicy
from aws_cdk import aws_ecr as ecr

from modelwright.workflow.serving_image import repository_name
from stacks.constructs.encryption_key import NO_KEY
from stacks.policy_checks import accept_checkov
from stacks.removal import KEPT

if TYPE_CHECKING:
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
"""No image that a tag names goes by itself: an endpoint pulls its image again for every machine that it gets."""


def serving_repository(scope: Construct, settings: EnvironmentSettings, key_arn: str | None) -> ecr.CfnRepository:
    """Make the repository of the images that compile and serve models; with `removal: destroy` it goes with them."""
    keep = settings.removal == "retain"
    repository = image_repository(scope, "ServingRepository", repository_name(settings.name), key_arn, keep=keep)
    if not keep:
        repository.empty_on_delete = True
    return repository


def image_repository(scope: Construct, id_: str, name: str, key_arn: str | None, *, keep: bool) -> ecr.CfnRepository:
    """Make the repository `name`, encrypted with the key, or by AWS's own without one."""
    repository = ecr.CfnRepository(
        scope,
        id_,
        repository_name=name,
        encryption_configuration=_encryption(key_arn),
        image_scanning_configuration={"scanOnPush": True},
        image_tag_mutability="IMMUTABLE",
        lifecycle_policy={"lifecyclePolicyText": json.dumps(_EXPIRE_UNTAGGED, sort_keys=True)},
    )
    repository.apply_removal_policy(KEPT if keep else RemovalPolicy.DESTROY)
    if key_arn is None:
        accept_checkov(repository, {"CKV_AWS_136": NO_KEY})
    return repository


def _encryption(key_arn: str | None) -> dict[str, Any]:
    """Return how images are encrypted; it cannot change later: https://docs.aws.amazon.com/AmazonECR/latest/userguide/encryption-at-rest.html."""
    return {"encryptionType": "KMS", "kmsKey": key_arn} if key_arn else {"encryptionType": "AES256"}
