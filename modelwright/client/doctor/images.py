"""Whether the images that the releases will name are in the region's registry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from modelwright.client.doctor.findings import Examination, Finding, failure, ok, warning
from modelwright.client.problems import code_of
from modelwright.config.images import image_uri

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelwright.config import PipelineSettings


@dataclass(frozen=True, order=True)
class Image:
    """A tag of a repository in somebody's registry."""

    uri: str

    @property
    def registry(self) -> str:
        """The account that it belongs to."""
        return self.uri.split(".", 1)[0]

    @property
    def repository(self) -> str:
        """The repository's name."""
        return self.uri.split("/", 1)[1].rsplit(":", 1)[0]

    @property
    def tag(self) -> str:
        """The tag."""
        return self.uri.rsplit(":", 1)[1]


def check_images(about: Examination) -> Iterator[Finding]:
    """Each image, asked for by its tag."""
    wanted = {image for pipeline in about.pipelines.values() for image in images(pipeline, about.settings.region)}
    for image in sorted(wanted):
        yield _look(about, image)


def images(pipeline: PipelineSettings, region: str) -> set[Image]:
    """Return the images that a pipeline's release names."""
    framework, version = pipeline.train.framework, pipeline.train.version
    jobs = (pipeline.process, pipeline.train, pipeline.evaluate)
    found = {Image(image_uri(framework, version, region, job.instance, "training")) for job in jobs}
    if pipeline.deploy.endpoint != "none":
        machine = pipeline.deploy.instance or pipeline.train.instance  # a serverless endpoint names none
        found.add(Image(image_uri(framework, version, region, machine, "inference")))
    return found


def _look(about: Examination, image: Image) -> Finding:
    """Pulling is what AWS's registries grant everybody; listing (`DescribeImages`) is refused.

    https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_BatchGetImage.html: a missing tag is no error, but a
    failure in the answer. Seen in https://github.com/jetstack/version-checker/issues/122: "no resource-based policy
    allows the ecr:DescribeImages action".
    """
    from botocore.exceptions import ClientError  # noqa: PLC0415 # see session.py

    missing = f"{image.uri} is not there: every job of it would fail."
    hint = "Another `train.version` in pipeline.yaml, or another `region` in the environment file."
    try:
        answer = about.session.client("ecr").batch_get_image(
            registryId=image.registry, repositoryName=image.repository, imageIds=[{"imageTag": image.tag}]
        )
    except ClientError as error:
        if code_of(error) == "RepositoryNotFoundException":
            return failure("images", missing, hint, blocks=False)
        if code_of(error) == "AccessDeniedException":
            return warning(
                "images",
                f"whether {image.uri} is there is not told: ecr:BatchGetImage was refused.",
                "Allow ecr:BatchGetImage on it, as docs/caller-policy.md does, or go on: the jobs' roles have it.",
            )
        raise
    if answer.get("images"):
        return ok("images", f"{image.uri} is there.")
    return failure("images", missing, hint, blocks=False)
