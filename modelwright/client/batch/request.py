"""What a batch transform job is asked to do: with which model and machines, and to read what.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateTransformJob.html
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modelwright.client.batch.heads import File
from modelwright.client.batch.input import CSV, BatchInput
from modelwright.config.local_storage import has_local_storage
from modelwright.errors import RunNotFound
from modelwright.workflow.run_names import ATTEMPT_LENGTH

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelwright.client.batch.job import Job
    from modelwright.client.session import Session
    from modelwright.config.pipeline import BatchSettings

PAYLOAD_MB = 6
"""AWS's own default: as much as an endpoint takes"""
MOST_MB = 100
"""of all payloads that are under way on one instance"""
ANSWER_SECONDS = 600
"""AWS's own default of InvocationsTimeoutInSeconds; 3600 at most"""


@dataclass(frozen=True)
class Wish:
    """What the user asked for, beside input and model."""

    join: bool = True
    payload_mb: int = PAYLOAD_MB
    key_arn: str | None = None
    """the environment's own key, if it has one"""


def request(job: Job, given: BatchInput, model: str, settings: BatchSettings, wish: Wish) -> dict[str, Any]:
    """Return the CreateTransformJob request without tags and input's address (`reading`).

    CSV goes in pieces of many lines. JSON goes line by line: a joined answer belongs to one record then.
    """
    return {
        "TransformJobName": job.name,
        "ModelName": model,
        "MaxConcurrentTransforms": max(1, min(processors(settings.instance), MOST_MB // wish.payload_mb)),
        "MaxPayloadInMB": wish.payload_mb,
        "BatchStrategy": "MultiRecord" if given.content_type == CSV else "SingleRecord",
        "ModelClientConfig": {"InvocationsTimeoutInSeconds": ANSWER_SECONDS, "InvocationsMaxRetries": 3},
        "Environment": _environment(wish.payload_mb),
        "TransformInput": {"ContentType": given.content_type, "SplitType": "Line"},
        "TransformOutput": _output(job, given, wish.key_arn),
        "TransformResources": _resources(settings, wish.key_arn),
        "DataProcessing": {
            "InputFilter": given.input_filter,
            "OutputFilter": "$",
            "JoinSource": "Input" if wish.join else "None",
        },
    }


def _output(job: Job, given: BatchInput, key_arn: str | None) -> dict[str, Any]:
    place = {"S3OutputPath": job.output.rstrip("/"), "Accept": given.content_type, "AssembleWith": "Line"}
    return {**place, "KmsKeyId": key_arn} if key_arn else place


def _resources(settings: BatchSettings, key_arn: str | None) -> dict[str, Any]:
    """The machines; disks that their hardware encrypts take no key."""
    machines = {"InstanceType": settings.instance, "InstanceCount": settings.instance_count}
    disks = key_arn and not has_local_storage(settings.instance)
    return {**machines, "VolumeKmsKeyId": key_arn} if disks else machines


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


def put_manifest(s3: Any, job: Job, given: BatchInput, files: Sequence[File]) -> str:
    """Write which objects the job reads, and return where that is.

    A prefix would also match what comes later, and other names that begin like it.
    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_TransformS3DataSource.html
    """
    document = [{"prefix": f"s3://{given.bucket}/{given.prefix}"}, *(file.name for file in files)]
    key = f"{job.prefix}manifest-{job.name[-ATTEMPT_LENGTH:]}.json"
    s3.put_object(Bucket=job.bucket, Key=key, Body=json.dumps(document).encode(), ContentType="application/json")
    return f"s3://{job.bucket}/{key}"


def reading(wanted: dict[str, Any], manifest: str) -> dict[str, Any]:
    """Return the request with the manifest of what the job is to read."""
    source = {"S3DataSource": {"S3DataType": "ManifestFile", "S3Uri": manifest}}
    return {**wanted, "TransformInput": {**wanted["TransformInput"], "DataSource": source}}


def again(description: dict[str, Any], job: Job) -> dict[str, Any]:
    """Return the request that does what an earlier attempt did, without the input's address."""
    same = (
        "ModelName", "MaxConcurrentTransforms", "MaxPayloadInMB", "BatchStrategy", "ModelClientConfig", "Environment",
        "TransformInput", "TransformOutput", "TransformResources", "DataProcessing",
    )  # fmt: skip
    return {**{key: description[key] for key in same if key in description}, "TransformJobName": job.name}


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
