"""`python -m benchmarks batch`: rows a second through a batch transform job of the compiled penguins model.

The job is the local cloud's own, with everything that it does: objects read from its S3, pieces of lines sent to real
model servers over HTTP, answers joined with their records, the output hashed and stored, the role asked for each step.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
import tarfile
import tempfile
import threading
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.memory import processor_seconds, used
from benchmarks.project import copy_project, modelwright, run_penguins
from benchmarks.serving.model import difference, expected, take_rows, train
from modelwright.client.deployment import find_deployment
from modelwright.client.session import Endpoint, Session
from modelwright.local.daemon.attach import attach

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from modelwright.client.deployment import Deployment

TARGET = 1_000_000
"""rows a second on two cores"""
_LEAST_SECONDS = 0.001
_COMPARED = 1000


def main(arguments: Sequence[str]) -> int:
    """Measure, print a table; 1 when the target is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks batch", description=__doc__)
    parser.add_argument("--rows", type=int, default=4_000_000, help="rows of one file (default: 4,000,000)")
    parser.add_argument("--times", type=int, default=3, help="jobs of each kind (default: 3)")
    parser.add_argument(
        "--concurrent", type=int, default=os.cpu_count() or 1, help="model servers (default: a core each)"
    )
    given = parser.parse_args(arguments)
    given.rows = -(-given.rows // _COMPARED) * _COMPARED  # whole blocks
    with tempfile.TemporaryDirectory() as folder:
        project = copy_project(Path(folder) / "project")
        modelwright(project, "up")
        try:
            run_penguins(project)
            best = _measure(project, Path(folder), given)
        finally:
            modelwright(project, "down")
    return 0 if best >= TARGET else 1


def _measure(project: Path, folder: Path, given: argparse.Namespace) -> float:
    modelwright(project, "export", "penguins", "--to", "onnx", "--output", str(folder / "onnx"))
    with attach(project) as local:
        keys = local.credentials
        session = Session(local.region, lambda: Endpoint(local.endpoint_url, keys.access_key, keys.secret_key))
        jobs = _Jobs(session, find_deployment(session, "dev", "penguins"), folder, given)
        print(
            f"{given.rows:,} rows of CSV, {jobs.size / 1e6:.0f} MB, {given.concurrent} servers, {os.cpu_count()} cores"
        )
        heads = (("seconds", 8), ("rows/s", 12), ("target", 10), ("processor us/row", 16), ("peak memory", 11))
        print(f"| {'what':<40} | {' | '.join(f'{head:>{width}}' for head, width in heads)} |")
        print("| :-- | --: | --: | --: | --: | --: |")
        best = 0.0
        for what, join in (("answers alone", False), ("joined with their records", True)):
            rate = max(_line(what, jobs.run(join=join), given.rows, str(project)) for _ in range(given.times))
            best = max(best, rate) if join else best
        jobs.check()
    return best


def _line(what: str, run: Iterator[float | None], rows: int, project: str) -> float:
    """Run one job, sampling the memory of all processes meanwhile."""
    ended, peak = threading.Event(), [0.0]

    def sample() -> None:
        while not ended.wait(0.05):
            peak[0] = max(peak[0], used(project))

    thread = threading.Thread(target=sample)
    thread.start()
    before = processor_seconds(project)
    try:
        seconds = next(found for found in run if found is not None)
    finally:
        ended.set()
        thread.join()
    spent = (processor_seconds(project) - before) / rows * 1e6
    rate = rows / max(seconds, _LEAST_SECONDS)
    print(
        f"| {what:<40} | {seconds:>8.2f} | {rate:>12,.0f} | {TARGET:>10,} | {spent:>16.2f} | {peak[0]:>7.0f} MiB |",
        flush=True,
    )
    return rate


class _Jobs:
    """Transform jobs of one input and one compiled model."""

    def __init__(self, session: Session, deployment: Deployment, folder: Path, given: argparse.Namespace) -> None:
        self._client = session.client("sagemaker")
        self._s3 = session.client("s3")
        self._place = deployment
        self._folder = folder
        self._concurrent = given.concurrent
        self._rows = take_rows(_COMPARED)
        self._model = self._make_model(session)
        self.size = self._put_input(given.rows)
        self._last = ""

    def run(self, *, join: bool) -> Iterator[float | None]:
        """Run one job; yields its seconds at its end, from SageMaker's own times."""
        self._last = f"dev-penguins-batch-{uuid.uuid4().hex[:12]}-00"
        source = f"s3://{self._place.artifact_bucket}/batch/penguins/input/bench/"
        self._client.create_transform_job(
            TransformJobName=self._last,
            ModelName=self._model,
            MaxConcurrentTransforms=self._concurrent,
            MaxPayloadInMB=6,
            BatchStrategy="MultiRecord",
            Environment={"MODELWRIGHT_MAX_BODY_BYTES": str(8 << 20), "MODELWRIGHT_REQUEST_TIMEOUT_SECONDS": "600"},
            TransformInput={
                "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": source}},
                "ContentType": "text/csv",
                "SplitType": "Line",
            },
            TransformOutput={"S3OutputPath": self._output, "Accept": "text/csv", "AssembleWith": "Line"},
            TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
            DataProcessing={"JoinSource": "Input" if join else "None"},
        )
        wait = threading.Event()
        while True:
            found = self._client.describe_transform_job(TransformJobName=self._last)
            if found["TransformJobStatus"] not in {"InProgress", "Stopping"}:
                break
            yield None
            wait.wait(0.05)
        if found["TransformJobStatus"] != "Completed":
            raise RuntimeError(f"the job is {found['TransformJobStatus']}: {found.get('FailureReason')}")
        yield (found["TransformEndTime"] - found["TransformStartTime"]).total_seconds()

    def check(self) -> None:
        """Compare the first answers of the last job with what the model says without any server."""
        key = f"batch/penguins/{self._last}/rows.csv.out"
        body = self._s3.get_object(Bucket=self._place.artifact_bucket, Key=key)["Body"]
        found = []
        for _, line in zip(range(_COMPARED), body.iter_lines(), strict=False):
            label, *numbers = line.decode().split(",")[-3:]
            found.append((label, [float(number) for number in numbers]))
        wanted = expected(train(self._folder / "python"), self._rows)
        classes = sorted(wanted[0].probability)
        made = [type(wanted[0])(label, dict(zip(classes, numbers, strict=True))) for label, numbers in found]
        wrong = difference(wanted, made)
        if wrong:
            raise RuntimeError(f"the answers are not the model's: {wrong}")

    @property
    def _output(self) -> str:
        return f"s3://{self._place.artifact_bucket}/batch/penguins/{self._last}"

    def _make_model(self, session: Session) -> str:
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
            for name in ("model.onnx", "schema.json"):
                tar.add(self._folder / "onnx" / name, arcname=name)
        key = "models/penguins/bench/model.tar.gz"
        self._s3.put_object(Bucket=self._place.artifact_bucket, Key=key, Body=buffer.getvalue())
        packages = session.client("sagemaker").list_model_packages(
            ModelPackageGroupName=self._place.model_package_group
        )
        arn = packages["ModelPackageSummaryList"][0]["ModelPackageArn"]
        container = self._client.describe_model_package(ModelPackageName=arn)["InferenceSpecification"]["Containers"][0]
        uri = f"s3://{self._place.artifact_bucket}/{key}"
        self._client.create_model(
            ModelName="bench",
            PrimaryContainer={"Image": container["Image"], "ModelDataUrl": uri},
            ExecutionRoleArn=self._place.batch_role,
        )
        return "bench"

    def _put_input(self, rows: int) -> int:
        block = "".join(",".join(str(value) for value in row.values()) + "\n" for row in self._rows).encode()
        path = self._folder / "rows.csv"
        with path.open("wb") as file:
            for _ in range(-(-rows // _COMPARED)):
                file.write(block)
        with path.open("rb") as file:
            self._s3.put_object(
                Bucket=self._place.artifact_bucket, Key="batch/penguins/input/bench/rows.csv", Body=file
            )
        size = path.stat().st_size
        path.unlink()
        return size


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
