"""What an export writes where, and what it does not touch."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Any

import pytest

from modelwright.client import export as exporting
from modelwright.client.export import Champion, check_target, export, find_champion
from modelwright.errors import ExportRefused, NameTaken, NotDeployed

PACKAGE = "arn:aws:sagemaker:eu-central-1:111122223333:model-package/mw-dev-penguins/3"
ARCHIVE = b"\x1f\x8bno archive"


class Aws:
    """The answers of DynamoDB, SageMaker and S3, one object for all three."""

    def __init__(self, *, champion: bool = True, digest: str = hashlib.sha256(ARCHIVE).hexdigest()) -> None:
        self.champion = {"Item": {"package_arn": {"S": PACKAGE}}} if champion else {}
        self.digest = digest
        self.objects = {"models/m.tar.gz": ARCHIVE, "runs/penguins/r1/test/test.csv": b"a\n1\n"}

    def client(self, service: str) -> Aws:
        return self

    def get_item(self, **request):
        return self.champion

    def describe_model_package(self, **request):
        container = {"ModelDataUrl": "s3://bucket/models/m.tar.gz", "Environment": {"SAGEMAKER_PROGRAM": "own.py"}}
        about = {"run": "r1", "modelHash": self.digest}
        return {"InferenceSpecification": {"Containers": [container]}, "CustomerMetadataProperties": about}

    def get_object(self, Bucket, Key):  # noqa: N803
        return {"Body": io.BytesIO(self.objects[Key])}

    def get_paginator(self, operation):
        return self

    def paginate(self, Bucket, Prefix):  # noqa: N803
        return [{"Contents": [{"Key": key} for key in self.objects if key.startswith(Prefix)]}]


class Penguins:
    pipeline = "penguins"
    table = "mw-dev"


def test_the_champion_is_what_table_and_registry_say() -> None:
    aws = Aws()
    found = find_champion(aws, Penguins)
    assert found == Champion(PACKAGE, "r1", "s3://bucket/models/m.tar.gz", aws.digest, "own.py")
    with pytest.raises(NotDeployed, match="No model of penguins serves yet"):
        find_champion(Aws(champion=False), Penguins)


@pytest.mark.parametrize("digest", ["0" * 64, hashlib.sha256(ARCHIVE).hexdigest()])
def test_a_refused_export_leaves_nothing(tmp_path: Path, digest: str) -> None:
    """One archive is not the registered one; the other is, and is damaged."""
    with pytest.raises(ExportRefused, match="r1 is not exported: The model archive"):
        export(Aws(digest=digest), Penguins, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_a_target_with_other_files_is_refused_and_an_earlier_export_is_not(tmp_path: Path) -> None:
    check_target(tmp_path / "none")
    (tmp_path / "model.onnx").touch()
    check_target(tmp_path)
    (tmp_path / "mine").touch()
    with pytest.raises(NameTaken, match="holds mine"):
        check_target(tmp_path)
    with pytest.raises(NameTaken):
        check_target(tmp_path / "mine")


class Unmovable(type(Path())):
    """A folder that cannot be renamed."""

    def rename(self, target: Any) -> Any:
        raise OSError("no space")


def test_an_earlier_export_stays_when_it_cannot_be_replaced(tmp_path: Path) -> None:
    target = tmp_path / "out"
    target.mkdir()
    (target / "model.onnx").write_text("before")
    with exporting._beside(target) as result, pytest.raises(OSError, match="no space"):
        exporting._replace(Unmovable(result), target)
    assert (target / "model.onnx").read_text() == "before"
    with exporting._beside(target) as result:
        (result / "model.onnx").write_text("after")
        exporting._replace(result, target)
    assert (target / "model.onnx").read_text() == "after"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
