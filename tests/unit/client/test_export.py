"""What an export writes where, and what it does not touch."""

from __future__ import annotations

import hashlib
import importlib.util
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from modelwright.client.models import export as exporting
from modelwright.client.models.export import RegisteredModel, check_target, export, find_model
from modelwright.errors import ExportRefused, NameTaken, NotDeployed, NotSupported

PACKAGE = "arn:aws:sagemaker:eu-central-1:111122223333:model-package/mw-dev-penguins/3"
ARCHIVE = b"\x1f\x8bno archive"


class Aws:
    """The answers of DynamoDB, SageMaker and S3, one object for all three."""

    def __init__(
        self,
        *,
        champion: bool = True,
        digest: str = hashlib.sha256(ARCHIVE).hexdigest(),
        archive: bytes = ARCHIVE,
        serve: str | None = None,
    ) -> None:
        self.champion = {"Item": {"package_arn": {"S": PACKAGE}}} if champion else {}
        self.packages: dict[str, list[str]] = {}
        self.digest = digest
        self.serve = {"serve": serve} if serve else {}
        self.objects = {"models/m.tar.gz": archive, "runs/penguins/r1/test/test.csv": b"a\n1\n"}

    options = ""

    def client(self, service: str) -> Aws:
        return self

    def get_item(self, **request):
        return self.champion

    def list_model_packages(self, **request):
        found = self.packages.get(request["ModelApprovalStatus"], [])
        return {"ModelPackageSummaryList": [{"ModelPackageArn": each} for each in found]}

    def describe_model_package(self, **request):
        container = {"ModelDataUrl": "s3://bucket/models/m.tar.gz", "Environment": {"SAGEMAKER_PROGRAM": "own.py"}}
        about = {"run": "r1", "modelHash": self.digest, **self.serve}
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
    model_package_group = "mw-dev-penguins"


def test_the_champion_is_what_table_and_registry_say() -> None:
    aws = Aws()
    found = find_model(aws, Penguins, "realtime")
    assert found == RegisteredModel(PACKAGE, "r1", "s3://bucket/models/m.tar.gz", aws.digest, "own.py")
    with pytest.raises(NotDeployed, match="No model of penguins serves yet"):
        find_model(Aws(champion=False), Penguins, "async")


def test_without_an_endpoint_it_is_the_newest_that_is_approved_or_passed_its_gate() -> None:
    aws = Aws(champion=False)
    with pytest.raises(NotDeployed, match="No model of penguins is registered yet"):
        find_model(aws, Penguins, "none")
    aws.packages["PendingManualApproval"] = ["waits"]
    assert find_model(aws, Penguins, "none").package == "waits"
    aws.packages["Approved"] = ["approved"]
    assert find_model(aws, Penguins, "none").package == "approved"


@pytest.mark.parametrize("digest", ["0" * 64, hashlib.sha256(ARCHIVE).hexdigest()])
def test_a_refused_export_leaves_nothing(tmp_path: Path, digest: str) -> None:
    """One archive is not the registered one; the other is, and is damaged."""
    with pytest.raises(ExportRefused, match="r1 is not exported: The model archive"):
        export(Aws(digest=digest), Penguins, tmp_path / "out", "realtime")
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


def compiled(files: dict[str, bytes]) -> bytes:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w:gz") as tar:
        for name, content in files.items():
            header = tarfile.TarInfo(name)
            header.size = len(content)
            tar.addfile(header, io.BytesIO(content))
    return raw.getvalue()


FILES = {"model.onnx": b"onnx", "schema.json": b"{}", "report.json": b'{"bytes": 4}'}


def test_a_compiled_champion_is_handed_out_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing that converts has to be installed for it."""
    monkeypatch.setattr(exporting, "check_extra", lambda: pytest.fail("nothing is converted"))
    archive = compiled(FILES)
    digest = hashlib.sha256(archive).hexdigest()
    report = export(Aws(digest=digest, archive=archive, serve="onnx"), Penguins, tmp_path / "out", "realtime")
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}["model.onnx"] == b"onnx"
    assert (report["deployed"], report["bytes"], report["run"]) == (digest, 4, "r1")
    assert json.loads((tmp_path / "out" / "report.json").read_text()) == report


@pytest.mark.parametrize(
    ("archive", "said"),
    [(ARCHIVE, "cannot be unpacked"), (compiled({**FILES, "code/x.py": b""}), "holds code/x.py, model.onnx")],
)
def test_a_compiled_archive_with_anything_else_in_it_is_refused(tmp_path: Path, archive: bytes, said: str) -> None:
    aws = Aws(digest=hashlib.sha256(archive).hexdigest(), archive=archive, serve="onnx")
    with pytest.raises(ExportRefused, match=said):
        export(aws, Penguins, tmp_path / "out", "realtime")
    with pytest.raises(ExportRefused, match="was expected; it is not loaded"):
        export(Aws(digest="0" * 64, archive=archive, serve="onnx"), Penguins, tmp_path / "out", "realtime")
    assert list(tmp_path.iterdir()) == []


def test_without_the_extra_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "skl2onnx" else find(name))
    with pytest.raises(NotSupported, match="needs skl2onnx"):
        export(Aws(), Penguins, tmp_path / "out", "realtime")
    assert list(tmp_path.iterdir()) == []
