"""Releases and data, written into the artifact bucket of what is deployed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from modelwright.client.releases.dataset import publish_dataset, read_dataset
from modelwright.client.releases.git import resolve_commit
from modelwright.client.releases.release import Destination, publish_release, release_of_commit, release_of_folder
from modelwright.config.folder_files import s3_uri_problem
from modelwright.config.release import ReleaseManifest, default_key, manifest_key
from modelwright.errors import DataNotFound

if TYPE_CHECKING:
    from modelwright.client.deployment import Deployment
    from modelwright.client.session import Session
    from modelwright.config import PipelineSettings, Project

__all__ = ["ensure_default", "publish_commit", "publish_data", "publish_folder", "resolve_commit"]


def publish_folder(
    session: Session, project: Project, settings: PipelineSettings, deployment: Deployment, *, default: bool = False
) -> str:
    """Write the release of a pipeline's folder as it lies there, and return its id."""
    release = release_of_folder(settings, _destination(project, deployment))
    return publish_release(session.client("s3"), release, default=default)


def publish_commit(  # noqa: PLR0913 # where, what, which commit, and whether it is the default
    session: Session,
    project: Project,
    settings: PipelineSettings,
    deployment: Deployment,
    commit: str,
    *,
    default: bool = False,
) -> str:
    """Write the release of a pipeline's folder as a commit has it, and return its id."""
    destination = _destination(project, deployment)
    release = release_of_commit(project.root, settings.name, commit, project.environment, destination)
    return publish_release(session.client("s3"), release, default=default)


def publish_data(session: Session, deployment: Deployment, data: str) -> str:
    """Return the address in S3 of other data for a run: `data` itself, or where the file or folder was uploaded to."""
    if data.startswith("s3:"):
        problem = s3_uri_problem(data)
        if problem:
            raise DataNotFound(f"--data {problem}")
        return data
    dataset = read_dataset(Path(data), deployment.pipeline, deployment.artifact_bucket)
    publish_dataset(session.client("s3"), dataset)
    return dataset.uri


def ensure_default(session: Session, project: Project, settings: PipelineSettings, deployment: Deployment) -> None:
    """See that schedules and new data have a release to run: the folder's, unless one is there for what is deployed."""
    if _default_structure(session, deployment) != deployment.structure:
        publish_folder(session, project, settings, deployment, default=True)


def _default_structure(session: Session, deployment: Deployment) -> str | None:
    """The structure that the default release needs; None: there is no such release."""
    from botocore.exceptions import ClientError  # noqa: PLC0415 # see session.py

    def read(key: str) -> bytes:
        answer = session.client("s3").get_object(Bucket=deployment.artifact_bucket, Key=key)
        content: bytes = answer["Body"].read()
        return content

    try:
        release = json.loads(read(default_key(deployment.pipeline)))["release"]
        return ReleaseManifest.from_json(read(manifest_key(deployment.pipeline, release))).structure
    except ClientError as error:
        if error.response["Error"].get("Code") not in {"NoSuchKey", "404"}:
            raise
        return None


def _destination(project: Project, deployment: Deployment) -> Destination:
    return Destination(project.environment.region, deployment.artifact_bucket)
