"""The service `ecr`: which tags a repository of this account has. No layer is stored: nothing here runs containers.

https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DescribeImages.html
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from modelwright.local.service import AwsError

if TYPE_CHECKING:
    from modelwright.local.cloud import Cloud
    from modelwright.local.service import Call

_REPOSITORY = "ecr-repository"
_IMAGE = "ecr-image"
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"


class Registry:
    """Repositories come with the template; their tags outlast the local cloud."""

    name = "ecr"
    operations = frozenset({"DescribeImages"})
    falls_through = False

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def start(self) -> None:
        """What there is lies in the database."""

    def stop(self) -> None:
        """Nothing runs."""

    def handle(self, call: Call) -> dict[str, Any]:
        """Answer one request."""
        return self._describe(call.params)

    def put_repository(self, name: str, *, immutable: bool) -> None:
        """Make a repository, or change it; its images stay."""
        self._cloud.database.put(_REPOSITORY, name, {"immutable": immutable})

    def remove_repository(self, name: str) -> None:
        """Remove a repository with its images."""
        self._cloud.database.delete(_REPOSITORY, name)
        self.remove_images(name)

    def remove_images(self, name: str) -> None:
        """Remove all images of a repository."""
        for key, _ in self._cloud.database.all(_IMAGE, f"{name}:"):
            self._cloud.database.delete(_IMAGE, key)

    def has(self, repository: str, tag: str) -> bool:
        """Whether an image is there."""
        return self._cloud.database.get(_IMAGE, f"{repository}:{tag}") is not None

    def put_image(self, repository: str, tag: str) -> None:
        """Name an image; AwsError when there is no such repository, or the tag is taken and may not be moved."""
        kept = self._repository(repository)
        if kept["immutable"] and self.has(repository, tag):
            raise AwsError(
                "ImageTagAlreadyExistsException",
                f"The image tag '{tag}' already exists in the '{repository}' repository and cannot be overwritten "
                "because the repository is immutable.",
            )
        self._cloud.database.put(_IMAGE, f"{repository}:{tag}", {"pushed_at": self._cloud.clock.time()})

    def _repository(self, name: str) -> dict[str, Any]:
        found = self._cloud.database.get(_REPOSITORY, name)
        if found is None:
            raise AwsError(
                "RepositoryNotFoundException",
                f"The repository with name '{name}' does not exist in the registry with id '{self._cloud.account}'",
            )
        return found

    def _describe(self, params: dict[str, Any]) -> dict[str, Any]:
        name = str(params["repositoryName"])
        self._repository(name)
        wanted = [str(image.get("imageTag", "")) for image in params.get("imageIds", [])]
        for tag in wanted:
            if not self.has(name, tag):
                raise AwsError(
                    "ImageNotFoundException",
                    f"The image with imageId {{imageDigest:'null', imageTag:'{tag}'}} does not exist within the "
                    f"repository with name '{name}' in the registry with id '{self._cloud.account}'",
                )
        known = self._cloud.database.all(_IMAGE, f"{name}:")
        found = {key.removeprefix(f"{name}:"): body for key, body in known}
        return {"imageDetails": [self._detail(name, tag, found[tag]) for tag in wanted or sorted(found)]}

    def _detail(self, repository: str, tag: str, body: dict[str, Any]) -> dict[str, Any]:
        return {
            "registryId": self._cloud.account,
            "repositoryName": repository,
            "imageDigest": f"sha256:{hashlib.sha256(f'{repository}:{tag}'.encode()).hexdigest()}",
            "imageTags": [tag],
            "imageSizeInBytes": 0,  # no layer is stored
            "imagePushedAt": datetime.fromtimestamp(body["pushed_at"], UTC),
            "imageManifestMediaType": MANIFEST,
        }
