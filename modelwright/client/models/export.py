"""The model that serves, or is registered, as ONNX: the registered files if it is compiled, else made in a process.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeModelPackage.html
"""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelwright.client.models.compiled_archive import FILES, take_apart
from modelwright.client.models.packages import package_of
from modelwright.errors import ExportRefused, NameTaken, NotDeployed, NotSupported

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelwright.client.deployment import Deployment
    from modelwright.client.session import Session

_NEEDED = ("msgspec", "onnx", "onnxruntime", "skl2onnx")


@dataclass(frozen=True)
class RegisteredModel:
    """A model as the registry holds it."""

    package: str
    run: str
    uri: str
    sha256: str
    program: str
    compiled: bool = False
    """Whether the archive is the compiled model already."""


def check_extra() -> None:
    """Raise NotSupported when what converts and compares is not installed."""
    absent = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if absent:
        raise NotSupported(
            f"An export to ONNX needs {', '.join(absent)}, which this environment does not have.",
            "`make setup` installs them, or `pip install 'modelwright[onnx]'`.",
        )


def find_model(session: Session, deployment: Deployment, endpoint: str) -> RegisteredModel:
    """Return what serves, or with `endpoint` none what `newest_package` says; NotDeployed when there is none yet."""
    package = package_of(session, deployment, endpoint)
    if package is None:
        what = "is registered" if endpoint == "none" else "serves"
        raise NotDeployed(
            f"No model of {deployment.pipeline} {what} yet.",
            f"`modelwright run {deployment.pipeline}{session.options}` trains one.",
        )
    found = session.client("sagemaker").describe_model_package(ModelPackageName=package)
    container = found["InferenceSpecification"]["Containers"][0]
    about = found.get("CustomerMetadataProperties", {})
    program = container.get("Environment", {}).get("SAGEMAKER_PROGRAM", "inference.py")
    compiled = about.get("serve") == "onnx"  # models of before have no such entry
    return RegisteredModel(package, about["run"], container["ModelDataUrl"], about["modelHash"], program, compiled)


def export(session: Session, deployment: Deployment, target: Path, endpoint: str) -> dict[str, Any]:
    """Write `FILES` into the folder `target`, whole or not at all, and return the report.

    `endpoint` is the pipeline's `deploy.endpoint`: of `none` the model is the newest that is approved, else that passed
    its gate.

    A target that holds earlier files of an export, or nothing, is replaced; NameTaken for any other.

    Raises:
        NotSupported: it has to be converted, and what does that is not installed.
        ExportRefused: the archive is not the registered one, cannot be converted, or would answer otherwise.
    """
    check_target(target)
    model = find_model(session, deployment, endpoint)
    with tempfile.TemporaryDirectory() as folder, _beside(target) as result:
        source = Path(folder)
        bucket, key = model.uri.removeprefix("s3://").split("/", 1)
        s3 = session.client("s3")
        _fetch(s3, bucket, key, source / "model.tar.gz")
        if model.compiled:
            take_apart(source / "model.tar.gz", model.sha256, result)
            report = dict(json.loads((result / "report.json").read_text("utf-8")))
        else:
            check_extra()
            for part in ("train", "test"):
                _fetch_folder(s3, bucket, f"runs/{deployment.pipeline}/{model.run}/{part}/", source / part)
            report = _convert(model, source, result)
        about = {"pipeline": deployment.pipeline, "run": model.run, "model_package": model.package}
        report |= {**about, "deployed": model.sha256 if model.compiled else None}
        (result / "report.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
        _replace(result, target)
    return report


def check_target(target: Path) -> None:
    """Raise NameTaken when the folder holds what no export wrote."""
    if not target.exists():
        return
    others = [target.name] if not target.is_dir() else sorted({p.name for p in target.iterdir()} - set(FILES))
    if others:
        raise NameTaken(f"{target} holds {others[0]}, which no export wrote.", "Name another folder with --output.")


@contextmanager
def _beside(target: Path) -> Iterator[Path]:
    """Yield a folder on the target's file system, which is gone afterwards unless it was moved."""
    target.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _replace(result: Path, target: Path) -> None:
    result.chmod(0o755)  # mkdtemp's is its owner's alone
    if not target.exists():
        result.rename(target)
        return
    with _beside(target) as old:
        before = target.rename(old / target.name)
        try:
            result.rename(target)
        except OSError:
            before.rename(target)
            raise


def _fetch(s3: Any, bucket: str, key: str, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        shutil.copyfileobj(s3.get_object(Bucket=bucket, Key=key)["Body"], file)


def _fetch_folder(s3: Any, bucket: str, prefix: str, folder: Path) -> None:
    folder.mkdir()
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for entry in page.get("Contents", []):
            name = entry["Key"].removeprefix(prefix)
            if name.endswith(".csv") and "/" not in name:
                _fetch(s3, bucket, entry["Key"], folder / name)


def _convert(model: RegisteredModel, source: Path, result: Path) -> dict[str, Any]:
    """Convert in another process: a pickled model and its script run there, not in the command."""
    command = [sys.executable, "-m", "modelwright.serving.compiled.convert", "--sha256", model.sha256]
    command += ["--archive", str(source / "model.tar.gz"), "--program", model.program, "--output", str(result)]
    command += ["--train", str(source / "train"), "--test", str(source / "test")]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    lines = done.stdout.splitlines()
    try:
        answer = dict(json.loads(lines[-1])) if lines else {}
    except ValueError:
        answer = {}
    if not answer:
        said = done.stderr.strip().splitlines()
        raise ExportRefused(
            f"The conversion ended with {done.returncode}: {said[-1] if said else 'it said nothing'}.",
            "Nothing was written; the Python path serves the model as before.",
        )
    if "refused" in answer:
        raise ExportRefused(
            f"{model.run} is not exported: {answer['refused']}",
            "Nothing was written; the Python path serves the model as before.",
        )
    return answer
