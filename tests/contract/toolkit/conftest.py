"""AWS's own training toolkit in a venv of its own, and our jobs beside it.

The venv is made on demand from `requirements.txt` (`uv pip compile --universal --generate-hashes requirements.in`);
where that is not possible these tests fail: a skipped comparison compares nothing.
"""

from __future__ import annotations

import fcntl
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from modelwright.contract import configs
from modelwright.local.cloud import Cloud
from modelwright.local.services import SERVICES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HERE = Path(__file__).parent
VENV = HERE.parents[2] / ".venv-toolkit"
BUCKET = "toolkit-bucket"
ROLE = "arn:aws:iam::123456789012:role/toolkit"
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.9-0-cpu-py3"


@pytest.fixture(scope="session")
def toolkit() -> Path:
    """The `bin` folder of the venv that has sagemaker-training 5.1.4."""
    wanted = hashlib.sha256(b"".join((HERE / name).read_bytes() for name in ("requirements.txt", "build.txt")))
    complete = VENV / ".complete"
    lock = os.open(VENV.parent, os.O_RDONLY)  # several test processes may want it at once
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not complete.is_file() or complete.read_text() != wanted.hexdigest():
            shutil.rmtree(VENV, ignore_errors=True)
            _make_venv()
            complete.write_text(wanted.hexdigest())
    finally:
        os.close(lock)
    return VENV / "bin"


def _make_venv() -> None:
    uv = Path(sys.executable).parent / "uv"
    compiler = f"{sys.executable} {HERE / 'compiler.py'}"
    env = {**os.environ, "CC": compiler, "LDSHARED": compiler}
    options = ["--require-hashes", "--build-constraints", str(HERE / "build.txt"), "-r", str(HERE / "requirements.txt")]
    for command in (
        [uv, "venv", "--quiet", "--python", sys.executable, VENV],
        [uv, "pip", "install", "--quiet", "--python", VENV / "bin/python", *options],
    ):
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"AWS's training toolkit cannot be installed into {VENV}:\n{done.stderr}")
    (library,) = VENV.glob("lib/python*/site-packages/gethostname*.so")
    library.unlink()  # empty: see compiler.py
    (library.parent / "gethostname.py").write_text('"""Imported by the toolkit, called under MPI only."""\n')


def make_base(base: Path, hyperparameters: dict[str, str], channels: dict[str, dict[str, str]]) -> None:
    for folder in ("input/config", "input/data", "model", "output/data"):
        (base / folder).mkdir(parents=True, exist_ok=True)
    for name in channels:
        (base / "input/data" / name).mkdir(exist_ok=True)
    config = base / "input/config"
    (config / "hyperparameters.json").write_text(json.dumps(hyperparameters))
    (config / "inputdataconfig.json").write_text(json.dumps(channels))
    (config / "resourceconfig.json").write_text(json.dumps(configs.resource_config("ml.m5.large")))


def toolkit_environment(base: Path, toolkit: Path) -> dict[str, str]:
    return {
        "PATH": f"{toolkit}:/usr/bin:/bin",
        "SAGEMAKER_BASE_DIR": str(base),
        "SM_STUDIO_LOCAL_MODE": "true",  # or it waits a quarter of an hour for the host name algo-1
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "TRAINING_JOB_NAME": "job",
        "TRAINING_JOB_ARN": "arn:aws:sagemaker:us-east-1:123456789012:training-job/job",
        "LANG": "C.UTF-8",
    }


@pytest.fixture
def run_toolkit(toolkit: Path, tmp_path: Path) -> Callable[..., tuple[int, Path]]:
    """Run AWS's `train` on a code folder; returns the container's exit status and its /opt/ml."""

    def run(files: dict[str, str], hyperparameters: dict[str, str]) -> tuple[int, Path]:
        base, source = tmp_path / "toolkit/opt/ml", tmp_path / "toolkit/source.tar.gz"
        make_base(base, {"sagemaker_submit_directory": str(source), **hyperparameters}, CHANNELS)
        source.write_bytes(bundle(files))
        done = subprocess.run(
            [toolkit / "train"], env=toolkit_environment(base, toolkit), capture_output=True, check=False, timeout=120
        )
        return done.returncode, base

    return run


CHANNELS = {
    "train": {"TrainingInputMode": "File", "S3DistributionType": "FullyReplicated", "RecordWrapperType": "None"},
    "my-chan": {"TrainingInputMode": "File", "S3DistributionType": "FullyReplicated", "RecordWrapperType": "None",
                "ContentType": "text/csv"},
}  # fmt: skip


def bundle(files: dict[str, str]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            tar.addfile(member, io.BytesIO(text.encode()))
    return packed.getvalue()


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    names = ("logs", "events", "sagemaker")
    made = Cloud(tmp_path_factory.mktemp("cloud"), "us-east-1", services={name: SERVICES[name] for name in names})
    made.start()
    trust = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
    allowed = {"Effect": "Allow", "Action": ["s3:*", "ecr:*", "logs:*"], "Resource": "*"}
    version = {"Version": "2012-10-17"}
    made.iam.put_role(ROLE, {**version, "Statement": [trust]}, {"all": {**version, "Statement": [allowed]}})
    made.client("s3").create_bucket(Bucket=BUCKET)
    made.client("s3").put_object(Bucket=BUCKET, Key="data/x.csv", Body=b"x")
    yield made
    made.stop()


@pytest.fixture
def run_job(cloud: Cloud, request: pytest.FixtureRequest) -> Callable[..., dict[str, Any]]:
    """Run the same code folder as one of our training jobs; returns its description."""

    def run(files: dict[str, str], hyperparameters: dict[str, str]) -> dict[str, Any]:
        name = "job" if "[" not in request.node.name else request.node.name.partition("[")[2].rstrip("]")
        cloud.client("s3").put_object(Bucket=BUCKET, Key=f"{name}.tar.gz", Body=bundle(files))
        source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/data/"}
        channels = [{"ChannelName": channel, "DataSource": {"S3DataSource": source}} for channel in CHANNELS]
        channels[1]["ContentType"] = "text/csv"
        submit = {"sagemaker_submit_directory": f"s3://{BUCKET}/{name}.tar.gz"}
        client: Any = cloud.client("sagemaker")
        client.create_training_job(
            TrainingJobName=name,
            AlgorithmSpecification={"TrainingImage": IMAGE, "TrainingInputMode": "File"},
            RoleArn=ROLE,
            InputDataConfig=channels,
            OutputDataConfig={"S3OutputPath": f"s3://{BUCKET}/out"},
            ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
            StoppingCondition={"MaxRuntimeInSeconds": 60},
            HyperParameters={**submit, **hyperparameters},
        )
        service: Any = cloud.services["sagemaker"]
        return service.wait("TrainingJob", name, 60)

    return run
