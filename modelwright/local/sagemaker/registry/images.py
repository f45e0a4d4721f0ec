"""Whether an image of this account's own is in ECR."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from modelwright.local.cloud import Cloud


def is_there(cloud: Cloud, account: str, repository: str, tag: str) -> bool:
    """Say whether an image is there: of this account's own, ECR knows it; those of others are taken as there."""
    if account != cloud.account:
        return True
    registry: Any = cloud.services["ecr"]
    return bool(registry.has(repository, tag))
