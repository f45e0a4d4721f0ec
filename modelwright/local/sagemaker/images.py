"""Which images the local cloud can stand in for, and whether one of this account's own is in ECR."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from modelwright.local.cloud import Cloud

SERVED = ("sagemaker-scikit-learn", "mw-<environment>-serving")
"""Those whose containers serve as `modelwright.serving` does."""
_SERVED = re.compile(r"sagemaker-scikit-learn|mw-[a-z0-9]+-serving")


def is_served(repository: str) -> bool:
    """Say whether the local cloud's model server stands in for the images of this repository."""
    return _SERVED.fullmatch(repository) is not None


def is_there(cloud: Cloud, account: str, repository: str, tag: str) -> bool:
    """Say whether an image is there: of this account's own, ECR knows it; those of others are taken as there."""
    registry: Any = cloud.services["ecr"]
    return account != cloud.account or registry.has(repository, tag)
