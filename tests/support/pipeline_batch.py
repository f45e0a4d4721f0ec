"""Batch transform of what producers bring and of what `modelwright batch` uploads, with the template's role."""

from __future__ import annotations

import io
import tarfile
import uuid
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from pipeline_stage import Seen

if TYPE_CHECKING:
    from pipeline_stage import Stage

SCRIPT = (
    b"def model_fn(folder):\n    return 0\n\ndef transform_fn(model, body, kind, accept):\n    return body, accept\n"
)
_MODEL = "models/penguins/batch/model.tar.gz"


def transformed(stage: Stage, network: dict[str, Any] | None = None) -> Seen:
    """Two batch transform jobs, one a place that inputs lie in; in a network, where one is named."""
    stage.watch()
    client, place = stage.client("sagemaker"), stage.deployment
    name = f"dev-penguins-{uuid.uuid4().hex[:12]}-bt"
    stage.client("s3").put_object(Bucket=place.artifact_bucket, Key=_MODEL, Body=_archive())
    container = {"Image": stage.hosting_image(), "ModelDataUrl": f"s3://{place.artifact_bucket}/{_MODEL}"}
    role = {"ExecutionRoleArn": stage.arn("BatchRole")} | ({"VpcConfig": network} if network else {})
    try:
        client.create_model(ModelName=name, PrimaryContainer=container, **role)
    except ClientError as error:
        return Seen(outcome="REFUSED", error=error.response["Error"]["Code"])
    inputs = ((place.data_bucket, "incoming/penguins/batch/"), (place.artifact_bucket, "batch/penguins/input/tried/"))
    ended = [_status(stage, name, bucket, prefix) for bucket, prefix in inputs]
    client.delete_model(ModelName=name)
    return Seen(outcome=" ".join(ended), logged=stage.logged)


def _status(stage: Stage, model: str, bucket: str, prefix: str) -> str:
    stage.client("s3").put_object(Bucket=bucket, Key=f"{prefix}a.csv", Body=b"1,2\n")
    job, place = f"dev-penguins-batch-{uuid.uuid4().hex[:12]}-00", stage.deployment
    request: dict[str, Any] = {
        "TransformJobName": job,
        "ModelName": model,
        "TransformInput": {
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/{prefix}"}},
            "ContentType": "text/csv",
        },
        "TransformOutput": {
            "S3OutputPath": f"s3://{place.artifact_bucket}/batch/penguins/{job}",
            "KmsKeyId": place.key_arn,
        },
        "TransformResources": {
            "InstanceType": "ml.m5.large",
            "InstanceCount": 1,
            "VolumeKmsKeyId": place.key_arn,
        },
    }
    stage.client("sagemaker").create_transform_job(**request)
    service: Any = stage.cloud.services["sagemaker"]
    return str(service.wait("TransformJob", job, 60)["TransformJobStatus"])


def _archive() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        member = tarfile.TarInfo("code/inference.py")
        member.size = len(SCRIPT)
        tar.addfile(member, io.BytesIO(SCRIPT))
    return buffer.getvalue()
