"""The ECR repositories that hold AWS's framework images, and the pipeline's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelwright.config.images import FRAMEWORKS, image_regions, image_uri, image_versions
from stacks.policies import arn

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Literal

_CPU = "ml.m5.large"  # AWS's images of one framework for CPUs share a repository


def image_repositories(region: str, own_repository: str) -> tuple[str, ...]:
    """Return the ARNs of all repositories that a release may name an image of, in `region`.

    The version of a framework is the release's business, not the template's: so all versions' repositories.
    """
    found = sorted(set(_framework_repositories(region)))
    aws = tuple(arn("ecr", f"repository/{name}", account=account) for account, name in found)
    return (*aws, arn("ecr", f"repository/{own_repository}"))


def _framework_repositories(region: str) -> Iterator[tuple[str, str]]:
    scopes: tuple[Literal["training", "inference"], ...] = ("training", "inference")
    for framework in FRAMEWORKS:
        for version in image_versions(framework):
            if region in image_regions(framework, version):
                for scope in scopes:
                    host, _, rest = image_uri(framework, version, region, _CPU, scope).partition("/")
                    yield host.split(".")[0], rest.rpartition(":")[0]
