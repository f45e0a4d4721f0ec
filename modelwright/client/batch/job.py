"""A batch transform job: how it is named, and begun again where one before it ended; started, described, stopped."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modelwright.client.problems import code_of, is_missing
from modelwright.errors import RunNotFound, WrongUsage
from modelwright.workflow.run_names import ATTEMPT_LENGTH, RUN_ID_LENGTH, name_prefix

if TYPE_CHECKING:
    from modelwright.client.deployment import Deployment
    from modelwright.client.session import Session

STEP = "batch"

ENDED = frozenset({"Completed", "Failed", "Stopped"})
_MOST_ATTEMPTS = 100


@dataclass(frozen=True)
class Job:
    """One job; a later attempt of it has the same id, and writes to the same place."""

    name: str
    bucket: str
    prefix: str
    """where the outputs lie: `batch/<pipeline>/<name of the first attempt>/`"""

    @property
    def output(self) -> str:
        """The address of the outputs' folder."""
        return f"s3://{self.bucket}/{self.prefix}"


def new_job(deployment: Deployment, environment: str) -> Job:
    """Return a job that nobody has."""
    name = f"{name_prefix(environment, deployment.pipeline, STEP)}{secrets.token_hex(RUN_ID_LENGTH // 2)}-00"
    return Job(name, deployment.artifact_bucket, f"batch/{deployment.pipeline}/{name}/")


def next_attempt(deployment: Deployment, environment: str, name: str) -> Job:
    """Return the job that goes on where `name` ended; WrongUsage when it is none of this pipeline's."""
    start = name_prefix(environment, deployment.pipeline, STEP)
    found = re.fullmatch(
        rf"(?:{re.escape(start)})?([0-9a-f]{{{RUN_ID_LENGTH}}})(?:-([0-9]{{{ATTEMPT_LENGTH}}}))?", name
    )
    if found is None:
        raise WrongUsage(f"--resume {name}: no batch job of {deployment.pipeline}; one is named {start}<id>-00.")
    attempt = int(found[2] or 0) + 1
    if attempt >= _MOST_ATTEMPTS:
        raise WrongUsage(f"--resume {name}: a job has at most {_MOST_ATTEMPTS} attempts.", "Start a new one.")
    first = f"{start}{found[1]}-00"
    prefix = f"batch/{deployment.pipeline}/{first}/"
    return Job(f"{start}{found[1]}-{attempt:0{ATTEMPT_LENGTH}}", deployment.artifact_bucket, prefix)


def previous_name(job: Job) -> str:
    """Return the name of the attempt before."""
    number = int(job.name[-ATTEMPT_LENGTH:]) - 1
    return f"{job.name[:-ATTEMPT_LENGTH]}{number:0{ATTEMPT_LENGTH}}"


def start(session: Session, wanted: dict[str, Any], tags: dict[str, str]) -> None:
    """Ask for the job."""
    named = [{"Key": key, "Value": value} for key, value in tags.items()]
    session.client("sagemaker").create_transform_job(**wanted, Tags=named)


def describe(session: Session, name: str) -> dict[str, Any]:
    """Return the job's description; RunNotFound when there is none of this name."""
    client = session.client("sagemaker")
    try:
        found: dict[str, Any] = client.describe_transform_job(TransformJobName=name)
    except client.exceptions.ClientError as error:
        if is_missing(error):
            raise RunNotFound(f"There is no batch job {name}.") from None
        raise
    return found


def stop(session: Session, name: str) -> None:
    """Stop the job; one that has ended meanwhile is left alone: AWS says ValidationException then."""
    client = session.client("sagemaker")
    try:
        client.stop_transform_job(TransformJobName=name)
    except client.exceptions.ClientError as error:
        if code_of(error) != "ValidationException":
            raise
