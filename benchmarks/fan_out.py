"""A state machine whose Map starts many training jobs that do nothing."""

from __future__ import annotations

import io
import json
import tarfile
import time
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from modelwright.client.deployment import find_deployment
from modelwright.client.session import Endpoint, Session
from modelwright.local.daemon.attach import attach

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_ITEM = "$states.context.Execution.Id & '-' & $string($states.input)"
_NAME = f"{{% 'dev-penguins-train-' & $substring($hash({_ITEM}, 'SHA-256'), 0, 12) & '-00' %}}"
"""Named as the state machine's role may name them, each its own."""


@contextmanager
def machine(project: Path, *, jobs: int) -> Iterator[Callable[[], float]]:
    """What runs the machine once and tells how many seconds that took; it fails when the execution does."""
    with attach(project) as local:
        keys = local.credentials
        session = Session(local.region, lambda: Endpoint(local.endpoint_url, keys.access_key, keys.secret_key))
        deployment = find_deployment(session, "dev", "penguins")
        client = session.client("stepfunctions")
        role = client.describe_state_machine(stateMachineArn=deployment.state_machine_arn)["roleArn"]
        job = _last_training_job(session)
        code = f"code/penguins/{'0' * 64}/code.tar.gz"
        session.client("s3").put_object(Bucket=deployment.artifact_bucket, Key=code, Body=_bundle())
        text = json.dumps(_definition(deployment.artifact_bucket, code, job, jobs))
        arn = client.create_state_machine(name="fan-out", definition=text, roleArn=role)["stateMachineArn"]
        yield lambda: _execute(client, arn)
        client.delete_state_machine(stateMachineArn=arn)


def _last_training_job(session: Session) -> dict[str, Any]:
    """What the pipeline's own run asked for: its role and its image."""
    client = session.client("sagemaker")
    last = client.list_training_jobs(SortBy="CreationTime", SortOrder="Descending", MaxResults=1)
    found: dict[str, Any] = client.describe_training_job(
        TrainingJobName=last["TrainingJobSummaries"][0]["TrainingJobName"]
    )
    return found


def _bundle() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        entry = tarfile.TarInfo("train.py")
        archive.addfile(entry, io.BytesIO(b""))
    return buffer.getvalue()


def _definition(bucket: str, code: str, like: dict[str, Any], jobs: int) -> dict[str, Any]:
    channel = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/{code}", "S3DataDistributionType": "FullyReplicated"}
    key = like["OutputDataConfig"]["KmsKeyId"]
    job = {
        "TrainingJobName": _NAME,
        "RoleArn": like["RoleArn"],
        "AlgorithmSpecification": {
            "TrainingImage": like["AlgorithmSpecification"]["TrainingImage"],
            "TrainingInputMode": "File",
        },
        "HyperParameters": {
            "sagemaker_program": "train.py",
            "sagemaker_submit_directory": "/opt/ml/input/data/code/code.tar.gz",
        },
        "InputDataConfig": [{"ChannelName": "code", "DataSource": {"S3DataSource": channel}}],
        "OutputDataConfig": {"S3OutputPath": f"s3://{bucket}/runs/penguins/{'0' * 12}/training/", "KmsKeyId": key},
        "ResourceConfig": {
            "InstanceType": "ml.m5.large",
            "InstanceCount": 1,
            "VolumeSizeInGB": 10,
            "VolumeKmsKeyId": key,
        },
        "EnableNetworkIsolation": True,
        "StoppingCondition": {"MaxRuntimeInSeconds": 600},
    }
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::sagemaker:createTrainingJob.sync",
        "Arguments": job,
        "Output": 0,
        "End": True,
    }
    processor = {"ProcessorConfig": {"Mode": "INLINE"}, "StartAt": "Train", "States": {"Train": task}}
    fan = {
        "Type": "Map",
        "Items": f"{{% [1..{jobs}] %}}",
        "MaxConcurrency": 40,
        "ItemProcessor": processor,
        "End": True,
    }
    return {"QueryLanguage": "JSONata", "StartAt": "Fan", "States": {"Fan": fan}}


def _execute(client: Any, arn: str) -> float:
    execution = client.start_execution(stateMachineArn=arn, name=str(uuid.uuid4()), input="{}")["executionArn"]
    while True:
        found = client.describe_execution(executionArn=execution)
        if found["status"] == "SUCCEEDED":
            return float((found["stopDate"] - found["startDate"]).total_seconds())
        if found["status"] != "RUNNING":
            raise RuntimeError(f"the fan-out ended as {found['status']}: {found.get('error')}: {found.get('cause')}")
        time.sleep(0.1)
