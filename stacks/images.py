"""The ECR repositories that hold AWS's framework images, and the pipeline's own."""

from __future__ import annotations

from modelwright.config.images import framework_repositories
from stacks.policies import arn


def image_repositories(region: str, own_repository: str) -> tuple[str, ...]:
    """Return the ARNs of all repositories that a release may name an image of, in `region`.

    The version of a framework is the release's business, not the template's: so all versions' repositories.
    """
    found = framework_repositories(region)
    aws = tuple(arn("ecr", f"repository/{name}", account=account) for account, name in found)
    return (*aws, arn("ecr", f"repository/{own_repository}"))
