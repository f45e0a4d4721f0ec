"""A batch transform job: asked for, followed, stopped, and begun again where one before it ended.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateTransformJob.html
"""

from __future__ import annotations

import json
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modelwright.client.batch_heads import File
from modelwright.client.batch_input import CSV, BatchInput
from modelwright.client.problems import code_of, is_missing
from modelwright.config.local_storage import has_local_storage
from modelwright.errors import RunNotFound, WrongUsage
from modelwright.workflow.run_names import ATTEMPT_LENGTH, RUN_ID_LENGTH, name_prefix

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from modelwright.client.deployment import Deployment
    from modelwright.client.session import Session
    from modelwright.config.pipeline import BatchSettings

Pause = Callable[[float], None]
STEP = "batch"
PAYLOAD_MB = 6
"""AWS's own default: as much as an endpoint takes"""
MOST_MB = 100
"""of all payloads that are under way on one instance"""
ANSWER_SECONDS = 600
"""AWS's own default of InvocationsTimeoutInSeconds; 3600 at most"""
ENDED = frozenset({"Completed", "Failed", "Stopped"})
_MOST_ATTEMPTS = 100
_SLOW_POLL_SECONDS = 5.0


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


@dataclass(frozen=True)
class Progress:
    """How far a job is."""

    status: str
    seconds: float
    files_done: int
    files: int
    bytes_done: int
    bytes: int
    rows_done: int | None
    rows_counted: bool

    @property
    def rows_per_second(self) -> float | None:
        """The rate so far; None before the first file is done, or when nobody knows the rows."""
        return self.rows_done / self.seconds if self.rows_done and self.seconds > 0 else None


@dataclass(frozen=True)
class Wish:
    """What the user asked for, beside input and model."""

    join: bool = True
    payload_mb: int = PAYLOAD_MB
    key_arn: str | None = None
    """the environment's own key, if it has one"""


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


def put_manifest(s3: Any, job: Job, given: BatchInput, files: Sequence[File]) -> str:
    """Write which objects the job reads, and return where that is.

    A prefix would also match what comes later, and other names that begin like it.
    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_TransformS3DataSource.html
    """
    document = [{"prefix": f"s3://{given.bucket}/{given.prefix}"}, *(file.name for file in files)]
    key = f"{job.prefix}manifest-{job.name[-ATTEMPT_LENGTH:]}.json"
    s3.put_object(Bucket=job.bucket, Key=key, Body=json.dumps(document).encode(), ContentType="application/json")
    return f"s3://{job.bucket}/{key}"


def request(job: Job, given: BatchInput, model: str, settings: BatchSettings, wish: Wish) -> dict[str, Any]:
    """Return the CreateTransformJob request without tags and input's address (`reading`).

    CSV goes in pieces of many lines. JSON goes line by line: a joined answer belongs to one record then.
    """
    lines = given.content_type == CSV
    concurrent = max(1, min(processors(settings.instance), MOST_MB // wish.payload_mb))
    processing = {
        "InputFilter": given.input_filter,
        "OutputFilter": "$",
        "JoinSource": "Input" if wish.join else "None",
    }
    key = wish.key_arn
    volumes = {"VolumeKmsKeyId": key} if key and not has_local_storage(settings.instance) else {}
    return {
        "TransformJobName": job.name,
        "ModelName": model,
        "MaxConcurrentTransforms": concurrent,
        "MaxPayloadInMB": wish.payload_mb,
        "BatchStrategy": "MultiRecord" if lines else "SingleRecord",
        "ModelClientConfig": {"InvocationsTimeoutInSeconds": ANSWER_SECONDS, "InvocationsMaxRetries": 3},
        "Environment": _environment(wish.payload_mb),
        "TransformInput": {"ContentType": given.content_type, "SplitType": "Line"},
        "TransformOutput": {
            "S3OutputPath": job.output.rstrip("/"),
            "Accept": given.content_type,
            "AssembleWith": "Line",
            **({"KmsKeyId": key} if key else {}),
        },
        "TransformResources": {
            "InstanceType": settings.instance,
            "InstanceCount": settings.instance_count,
            **volumes,
        },
        "DataProcessing": processing,
    }


def _environment(payload_mb: int) -> dict[str, str]:
    """What lets a model server take and answer large bodies: ours, and those of AWS's framework images.

    https://github.com/aws/sagemaker-inference-toolkit/blob/master/src/sagemaker_inference/parameters.py
    """
    seconds = str(ANSWER_SECONDS)
    return {
        "MODELWRIGHT_MAX_BODY_BYTES": str((payload_mb << 20) + (1 << 20)),
        "MODELWRIGHT_REQUEST_TIMEOUT_SECONDS": seconds,
        "SAGEMAKER_MODEL_SERVER_TIMEOUT": seconds,
    }


def processors(instance: str) -> int:
    """Return how many processors an instance type has: what AWS's sizes mean.

    https://aws.amazon.com/sagemaker/ai/pricing/ (a size `2xlarge` has 8, each further one in proportion)
    """
    size = instance.rpartition(".")[2]
    found = re.fullmatch(r"(\d*)xlarge", size)
    if found:
        return 4 * int(found[1] or 1)
    return 2 if size in {"medium", "large"} else 1


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


def outputs(s3: Any, job: Job, files: Sequence[File]) -> dict[str, str]:
    """Return the keys of the outputs that are there, by the names of their inputs.

    Where AWS writes the output of a manifest's object is said by no page: below the output path, under the object's
    name in the manifest or one that ends so, with `.out` behind it.
    """
    found: dict[str, str] = {}
    names = {file.name for file in files}
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=job.bucket, Prefix=job.prefix):
        for entry in page.get("Contents", []):
            if entry["Key"].endswith(".out"):
                name = _input_of(entry["Key"].removeprefix(job.prefix).removesuffix(".out"), names)
                if name is not None:
                    found[name] = entry["Key"]
    return found


def _input_of(path: str, names: set[str]) -> str | None:
    if path in names:
        return path
    alike = [name for name in names if path.endswith(f"/{name}") or name.endswith(f"/{path}")]
    return max(alike, key=len) if alike else None


def follow(
    session: Session, job: Job, given: BatchInput, files: Sequence[File], pause: Pause = time.sleep
) -> Iterator[tuple[Progress, dict[str, Any]]]:
    """Yield how far the job is and its description, until it has ended."""
    s3, began = session.client("s3"), time.monotonic()
    seconds = min(_SLOW_POLL_SECONDS, 5 * session.poll_seconds)
    while True:
        description = describe(session, job.name)
        done = outputs(s3, job, given.files)
        status = description["TransformJobStatus"]
        yield _progress(status, _elapsed(description, began), files, set(done)), description
        if status in ENDED:
            return
        pause(seconds)


def _elapsed(description: dict[str, Any], began: float) -> float:
    """The time that the model worked, where SageMaker says it; else that since it was asked for."""
    start_, end = description.get("TransformStartTime"), description.get("TransformEndTime")
    if start_ and end:
        return max(0.001, float((end - start_).total_seconds()))
    return time.monotonic() - began


def _progress(status: str, seconds: float, files: Sequence[File], done: set[str]) -> Progress:
    finished = [file for file in files if file.name in done]
    counts = [file.rows if file.rows is not None else file.about_rows for file in finished]
    return Progress(
        status,
        seconds,
        len(finished),
        len(files),
        sum(file.size - file.skip for file in finished),
        sum(file.size - file.skip for file in files),
        None if None in counts else sum(count or 0 for count in counts),
        all(file.rows is not None for file in finished),
    )


def input_of(session: Session, job: Job, description: dict[str, Any]) -> BatchInput:
    """Return what the first attempt of a job was to read, from its manifest: the objects as they are now."""
    s3 = session.client("s3")
    document = json.loads(s3.get_object(Bucket=job.bucket, Key=f"{job.prefix}manifest-00.json")["Body"].read())
    source, _, prefix = document[0]["prefix"].removeprefix("s3://").partition("/")
    sizes: dict[str, int] = {}
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=source, Prefix=prefix):
        sizes |= {entry["Key"].removeprefix(prefix): entry["Size"] for entry in page.get("Contents", [])}
    gone = [name for name in document[1:] if name not in sizes]
    if gone:
        raise RunNotFound(f"s3://{source}/{prefix}{gone[0]}, which the job read, is not there any more.")
    files = tuple(File(name, sizes[name]) for name in document[1:])
    filter_ = description.get("DataProcessing", {}).get("InputFilter", "$")
    return BatchInput(files, description["TransformInput"]["ContentType"], source, prefix, filter_)


def again(description: dict[str, Any], job: Job) -> dict[str, Any]:
    """Return the request that does what an earlier attempt did, without the input's address."""
    same = (
        "ModelName", "MaxConcurrentTransforms", "MaxPayloadInMB", "BatchStrategy", "ModelClientConfig", "Environment",
        "TransformInput", "TransformOutput", "TransformResources", "DataProcessing",
    )  # fmt: skip
    return {**{key: description[key] for key in same if key in description}, "TransformJobName": job.name}


def reading(wanted: dict[str, Any], manifest: str) -> dict[str, Any]:
    """Return the request with the manifest of what the job is to read."""
    source = {"S3DataSource": {"S3DataType": "ManifestFile", "S3Uri": manifest}}
    return {**wanted, "TransformInput": {**wanted["TransformInput"], "DataSource": source}}
