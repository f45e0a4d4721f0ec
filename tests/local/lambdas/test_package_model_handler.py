"""`PackageModel`: the archive with the code, under its own hash."""

from __future__ import annotations

import hashlib
import io
import tarfile

import boto3
import pytest
from archives import tar_gz
from handler_ground import ENVIRONMENT, put

import package_model.handler as package

pytestmark = pytest.mark.usefixtures("aws")


def test_a_model_is_packaged_under_its_own_hash() -> None:
    put("runs/penguins/r/model.tar.gz", tar_gz({"model.joblib": b"m" * 1000}))
    put("code/penguins/c/code.tar.gz", tar_gz({"inference.py": b"pass"}))
    event = {
        "model_uri": "s3://artifacts/runs/penguins/r/model.tar.gz",
        "code_uri": "s3://artifacts/code/penguins/c/code.tar.gz",
    }

    found = package.handler(event, None)

    key = f"models/penguins/{found['sha256']}/model.tar.gz"
    assert found["uri"] == f"s3://artifacts/{key}"
    stored = boto3.client("s3").get_object(Bucket="artifacts", Key=key)
    content = stored["Body"].read()
    assert hashlib.sha256(content).hexdigest() == found["sha256"]
    assert len(content) == found["bytes"]
    assert stored["SSEKMSKeyId"] == ENVIRONMENT["KEY_ARN"]
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        assert archive.getnames() == ["model.joblib", "code/inference.py"]
    assert package.handler(event, None) == found


def test_a_schema_that_training_left_lies_beside_the_archive_too() -> None:
    put("runs/penguins/r/model.tar.gz", tar_gz({"model.joblib": b"m", "schema.json": b'{"version": 1}'}))
    put("code/penguins/c/code.tar.gz", tar_gz({"inference.py": b"pass"}))
    event = {
        "model_uri": "s3://artifacts/runs/penguins/r/model.tar.gz",
        "code_uri": "s3://artifacts/code/penguins/c/code.tar.gz",
    }
    found = package.handler(event, None)
    beside = f"models/penguins/{found['sha256']}/schema.json"
    assert boto3.client("s3").get_object(Bucket="artifacts", Key=beside)["Body"].read() == b'{"version": 1}'
