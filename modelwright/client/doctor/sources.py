"""What the pipelines read and that is not ours: buckets, repositories."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelwright.client.doctor.findings import Examination, Finding, failure, ok, warning
from modelwright.client.problems import code_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from botocore.exceptions import ClientError

    from modelwright.config import PipelineSettings


def check_buckets(about: Examination) -> Iterator[Finding]:
    """The buckets of `data.source`: there, in this region, readable, with something in it."""
    for pipeline in about.pipelines.values():
        if pipeline.data.in_s3:
            yield _bucket(about, pipeline)


def check_repositories(about: Examination) -> Iterator[Finding]:
    """The CodeCommit repositories whose merges start runs, and their branches."""
    for pipeline in about.pipelines.values():
        if pipeline.triggers.merge_codecommit:
            yield _repository(about, pipeline, pipeline.triggers.merge_codecommit)


def _bucket(about: Examination, pipeline: PipelineSettings) -> Finding:
    """HeadBucket's answer has no body, so its codes are numbers.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html
    """
    from botocore.exceptions import ClientError  # noqa: PLC0415 # see session.py

    source, region = pipeline.data.source, about.settings.region
    bucket, _, prefix = source.removeprefix("s3://").partition("/")
    client = about.session.client("s3")
    try:
        where = client.head_bucket(Bucket=bucket).get("BucketRegion", region)
        listed = client.list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=1)
    except ClientError as error:
        return _unreachable(error, pipeline.name, bucket)
    if where != region:
        return failure(
            "buckets",
            f"{pipeline.name}: the bucket {bucket} is in {where}; SageMaker reads from its own region, {region}, only.",
            f"Copy the data into a bucket in {region}, or deploy to {where}.",
        )
    if not listed.get("KeyCount"):
        return warning(
            "buckets", f"{pipeline.name}: there is nothing under {source} yet.", "A run would fail until then."
        )
    return ok("buckets", f"{pipeline.name}: {source} can be read.")


def _unreachable(error: ClientError, pipeline: str, bucket: str) -> Finding:
    code = code_of(error)
    if code in {"404", "NoSuchBucket"}:
        message = f"{pipeline}: there is no bucket {bucket}."
        return failure("buckets", message, "Correct `data.source` in pipeline.yaml, or make the bucket.", blocks=False)
    if code in {"403", "AccessDenied"}:
        return warning(
            "buckets",
            f"{pipeline}: the bucket {bucket} is there, and not yours to read.",
            "A deploy lets the processing role read it; if it is another account's, its bucket policy must, too.",
        )
    raise error


def _repository(about: Examination, pipeline: PipelineSettings, name: str) -> Finding:
    from botocore.exceptions import ClientError  # noqa: PLC0415 # see session.py

    client, branch = about.session.client("codecommit"), pipeline.triggers.merge_branch
    try:
        client.get_branch(repositoryName=name, branchName=branch)
    except ClientError as error:
        if code_of(error) == "RepositoryDoesNotExistException":
            text = f"{pipeline.name}: there is no CodeCommit repository {name} in {about.settings.region}."
            return failure("repositories", text, "Correct `triggers.merge.codecommit`, or make it.", blocks=False)
        if code_of(error) == "BranchDoesNotExistException":
            text = f"{pipeline.name}: the repository {name} has no branch {branch} yet."
            return warning("repositories", text, "Nothing is merged until it has one.")
        raise
    return ok("repositories", f"{pipeline.name}: merges of {branch} in {name} start runs.")
