"""The ECR repositories that hold AWS's framework images, and the pipeline's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelwright.config.images import framework_repositories
from stacks.policies import arn

if TYPE_CHECKING:
    from collections.abc import Iterable


def image_repositories(region: str, own_repositories: Iterable[str]) -> tuple[str, ...]:
    """Return the ARNs of all repositories that a run may use an image of, in `region`: AWS's and our own by name.

    The version of a framework is the release's business, not the template's: so all versions' repositories.
    """
    found = framework_repositories(region)
    aws = tuple(arn("ecr", f"repository/{name}", account=account) for account, name in found)
    return (*aws, *(arn("ecr", f"repository/{name}") for name in own_repositories))
