"""A real local cloud with jobs in it: two buckets' worth of data, a role that may do what a job needs."""

from __future__ import annotations

import io
import tarfile
from typing import TYPE_CHECKING, Any

import pytest
from archives import tar_gz
from sagemaker_role import IMAGE, PULL, TRUST, Grants, log_to, put_granted

from modelwright.local.cloud import Cloud

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

BUCKET = "job-bucket"
ROLE = "arn:aws:iam::123456789012:role/job"
GRANTS: Grants = {
    "ListInputs": (["s3:ListBucket"], f"arn:aws:s3:::{BUCKET}"),
    "ReadInputs": (["s3:GetObject"], f"arn:aws:s3:::{BUCKET}/*"),
    "WriteOutputs": (["s3:PutObject"], f"arn:aws:s3:::{BUCKET}/out/*"),
    **PULL,
    **log_to("/aws/sagemaker/*"),
}


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    made = Cloud(
        tmp_path_factory.mktemp("cloud"),
        "us-east-1",
        services={
            "logs": "modelwright.local.logs:Logs",
            "events": "modelwright.local.events.service:Events",
            "sagemaker": "modelwright.local.sagemaker.service:SageMaker",
        },
    )
    made.start()
    made.client("s3").create_bucket(Bucket=BUCKET)
    put_role(made)
    yield made
    made.stop()


def put_role(cloud: Cloud, *, without: str = "", arn: str = ROLE, trust: Mapping[str, Any] = TRUST) -> str:
    return put_granted(cloud, arn, GRANTS, without=without, trust=trust)


@pytest.fixture
def role_without(cloud: Cloud) -> Callable[[str], str]:
    """Make a role that lacks one of the statements; returns its ARN."""

    def make(sid: str) -> str:
        assert sid in GRANTS
        arn = f"{ROLE}-without-{sid}"
        put_role(cloud, without=sid, arn=arn)
        return arn

    return make


@pytest.fixture
def put(cloud: Cloud) -> Callable[[str, bytes | str], str]:
    def put(key: str, body: bytes | str) -> str:
        cloud.client("s3").put_object(Bucket=BUCKET, Key=key, Body=body if isinstance(body, bytes) else body.encode())
        return f"s3://{BUCKET}/{key}"

    return put


@pytest.fixture
def get(cloud: Cloud) -> Callable[[str], bytes]:
    return lambda key: cloud.client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read()


@pytest.fixture
def members() -> Callable[[bytes], dict[str, bytes]]:
    return _members


def _members(archive: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        return {item.name: tar.extractfile(item).read() for item in tar if item.isfile()}


class Work:
    """Asks for jobs and waits for them."""

    bundle = staticmethod(tar_gz)
    image = IMAGE

    def __init__(self, cloud: Cloud, put: Callable[[str, bytes | str], str]) -> None:
        self.cloud = cloud
        self.client: Any = cloud.client("sagemaker")
        self.put = put

    def training(self, name: str, script: str = "", **more: Any) -> dict[str, Any]:
        files = more.pop("files", {"train.py": script})
        code = self.put(f"code/{name}/code.tar.gz", tar_gz(files))
        hyperparameters = {
            "sagemaker_program": "train.py",
            "sagemaker_submit_directory": code,
            **more.pop("HyperParameters", {}),
        }
        request = {
            "TrainingJobName": name,
            "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
            "RoleArn": ROLE,
            "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/out/"},
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10},
            "StoppingCondition": {"MaxRuntimeInSeconds": 300},
            "HyperParameters": hyperparameters,
            **more,
        }
        self.client.create_training_job(**request)
        return request

    def trained(self, name: str, script: str = "", **more: Any) -> dict[str, Any]:
        self.training(name, script, **more)
        return self.ended("TrainingJob", name)

    def processing(self, name: str, command: list[str], **more: Any) -> None:
        application = {"ImageUri": IMAGE, "ContainerEntrypoint": command}
        request = {
            "ProcessingJobName": name,
            "AppSpecification": application,
            "RoleArn": ROLE,
            "ProcessingResources": {
                "ClusterConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10}
            },
            "StoppingCondition": {"MaxRuntimeInSeconds": 300},
            **more,
        }
        self.client.create_processing_job(**request)

    def processed(self, name: str, command: list[str], **more: Any) -> dict[str, Any]:
        self.processing(name, command, **more)
        return self.ended("ProcessingJob", name)

    def ended(self, kind: str, name: str) -> dict[str, Any]:
        found = self.cloud.services["sagemaker"].wait(kind, name, 180)
        assert found is not None, f"{name} has not ended"
        return found

    def lines(self, kind: str, name: str) -> list[str]:
        logs: Any = self.cloud.client("logs")
        group = f"/aws/sagemaker/{kind}s"
        streams = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{name}/")["logStreams"]
        events = logs.get_log_events(logGroupName=group, logStreamName=streams[0]["logStreamName"], startFromHead=True)
        return [event["message"] for event in events["events"]]


@pytest.fixture
def work(cloud: Cloud, put: Callable[[str, bytes | str], str]) -> Work:
    return Work(cloud, put)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path
