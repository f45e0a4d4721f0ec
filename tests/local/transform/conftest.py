"""A real local cloud with a model in it whose answer is a sum: batch transform needs no ML library."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from archives import tar_gz
from sagemaker_role import IMAGE, PULL, Grants, log_to, put_granted

from modelwright.local.cloud import Cloud

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

BUCKET = "batch-bucket"
ROLE = "arn:aws:iam::123456789012:role/model"
GRANTS: Grants = {
    "ListInputs": (["s3:ListBucket"], f"arn:aws:s3:::{BUCKET}"),
    "ReadModel": (["s3:GetObject"], f"arn:aws:s3:::{BUCKET}/models/*"),
    "ReadInputs": (["s3:GetObject"], f"arn:aws:s3:::{BUCKET}/in/*"),
    "WriteOutputs": (["s3:PutObject"], f"arn:aws:s3:::{BUCKET}/out/*"),
    **PULL,
    **log_to("/aws/sagemaker/*"),
}
SERVICES = {
    "logs": "modelwright.local.logs:Logs",
    "events": "modelwright.local.events.service:Events",
    "sagemaker": "modelwright.local.sagemaker.service:SageMaker",
    "stepfunctions": "modelwright.local.stepfunctions.service:StepFunctions",
}
SCRIPT = """
import json, os, pathlib, time

def model_fn(model_dir):
    return pathlib.Path(model_dir)

def input_fn(body, content_type):
    text = body.decode() if isinstance(body, bytes) else body
    if content_type == "application/json":
        return [list(json.loads(text).values())]
    return [line.split(",") for line in text.splitlines()]

def predict_fn(rows, folder):
    if ["wait"] in rows:
        (folder / "waits").touch()
        while not (folder / "go").exists():
            time.sleep(0.01)
    if ["die"] in rows:
        os._exit(3)
    if ["raise"] in rows:
        raise RuntimeError("cannot do that")
    return [sum(map(float, row)) for row in rows]

def output_fn(sums, accept):
    if accept == "application/json":
        return json.dumps({"sum": sums[0]}), accept
    return "".join(f"{number:g}\\n" for number in sums), "text/csv"
"""
NUMBERS = itertools.count(1)


def put_role(cloud: Cloud, *, without: str = "", arn: str = ROLE) -> str:
    return put_granted(cloud, arn, GRANTS, without=without)


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    made = Cloud(tmp_path_factory.mktemp("cloud"), "us-east-1", services=SERVICES)
    made.start()
    made.client("s3").create_bucket(Bucket=BUCKET)
    put_role(made)
    yield made
    made.stop()


@dataclass(frozen=True)
class Transforms:
    """The calls of batch transform, with names of their own for each test."""

    cloud: Cloud
    folder: str
    role: str = ROLE

    @property
    def client(self) -> Any:
        return self.cloud.client("sagemaker")

    def model(self, script: str = SCRIPT) -> str:
        """Make a model; returns its name."""
        name, key = f"model-{next(NUMBERS)}", f"models/{next(NUMBERS)}/model.tar.gz"
        self.cloud.client("s3").put_object(Bucket=BUCKET, Key=key, Body=tar_gz({"code/inference.py": script}))
        container = {"Image": IMAGE, "ModelDataUrl": f"s3://{BUCKET}/{key}"}
        self.client.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=self.role)
        return name

    def put(self, files: Mapping[str, str | bytes]) -> str:
        """Put objects into the input folder; returns its prefix."""
        for name, body in files.items():
            self.cloud.client("s3").put_object(Bucket=BUCKET, Key=f"in/{self.folder}/{name}", Body=body)
        return f"s3://{BUCKET}/in/{self.folder}/"

    def request(self, uri: str, *, kind: str = "S3Prefix", media: str = "text/csv", **more: Any) -> dict[str, Any]:
        """Return a CreateTransformJob request; members of `more` replace what is here."""
        return {
            "TransformJobName": f"job-{next(NUMBERS)}",
            "ModelName": more.pop("ModelName", None) or self.model(),
            "TransformInput": {
                "DataSource": {"S3DataSource": {"S3DataType": kind, "S3Uri": uri}},
                "ContentType": media,
                "SplitType": "Line",
            },
            "TransformOutput": {
                "S3OutputPath": f"s3://{BUCKET}/out/{self.folder}",
                "Accept": media,
                "AssembleWith": "Line",
            },
            "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
            "BatchStrategy": "MultiRecord",
            **more,
        }

    def start(self, uri: str, **more: Any) -> str:
        """Ask for a job; returns its name."""
        request = self.request(uri, **more)
        self.client.create_transform_job(**request)
        return str(request["TransformJobName"])

    def ended(self, name: str) -> dict[str, Any]:
        """Wait for a job's end; returns its description."""
        found = self.cloud.services["sagemaker"].wait("TransformJob", name, 180)  # type: ignore[attr-defined]
        assert found is not None, f"{name} still runs after three minutes"
        return dict(found)

    def run(self, files: Mapping[str, str | bytes], **more: Any) -> dict[str, Any]:
        """Put the files, transform them, and return the job's description."""
        return self.ended(self.start(self.put(files), **more))

    def outputs(self) -> dict[str, str]:
        """Return what was written, by name."""
        s3, prefix = self.cloud.client("s3"), f"out/{self.folder}/"
        found = s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])
        read = {item["Key"]: s3.get_object(Bucket=BUCKET, Key=item["Key"])["Body"].read().decode() for item in found}
        return {key.removeprefix(prefix): text for key, text in read.items()}

    def log(self, job: str) -> str:
        """Return all that is in the job's log streams."""
        events = self.cloud.client("logs").filter_log_events(
            logGroupName="/aws/sagemaker/TransformJobs", logStreamNamePrefix=f"{job}/"
        )["events"]
        return "\n".join(event["message"] for event in events)

    def manifest(self, *names: str) -> str:
        """Put a manifest of some of the folder's files; returns its address."""
        document = [{"prefix": f"s3://{BUCKET}/in/{self.folder}/"}, *names]
        key = f"in/manifests/{next(NUMBERS)}.json"
        self.cloud.client("s3").put_object(Bucket=BUCKET, Key=key, Body=json.dumps(document))
        return f"s3://{BUCKET}/{key}"


@pytest.fixture
def transforms(cloud: Cloud) -> Transforms:
    return Transforms(cloud, f"f{next(NUMBERS)}")


@pytest.fixture
def without(cloud: Cloud) -> Callable[[str], Transforms]:
    """Transforms of models whose role lacks one grant."""

    def make(sid: str) -> Transforms:
        assert sid in GRANTS
        return Transforms(cloud, f"f{next(NUMBERS)}", put_role(cloud, without=sid, arn=f"{ROLE}-{next(NUMBERS)}"))

    return make
