"""Brings a training script's code into `/opt/ml/code`, and its requirements where Python finds them."""

from __future__ import annotations

import hashlib
import shutil
import sys
import tarfile
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement

from modelwright.local.sagemaker.jobs.problems import ClientProblem, ContainerFailure
from modelwright.local.sagemaker.jobs.requests import split_s3

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelwright.local.sagemaker.jobs.channels import Inputs
    from modelwright.local.sagemaker.jobs.tree import JobTree

REQUIREMENTS = "requirements.txt"


def place_code(source: str, tree: JobTree, inputs: Inputs | None) -> None:
    """Bring what `sagemaker_submit_directory` names into the code folder: s3 tar.gz, folder, tar or file.

    `inputs` is None for an isolated job: its container reaches no S3.
    """
    code = tree.path("/opt/ml/code")
    if source.startswith("s3://"):
        if inputs is None:
            raise ContainerFailure(_unreachable(source))
        archive = tree.temporary / "sourcedir.tar.gz"
        inputs.fetch_object(*split_s3(source), archive)
        _extract(archive, code, source)
        archive.unlink()
        return
    here = _inside(source, tree)
    if here == code:
        return
    if here.is_dir():
        shutil.copytree(here, code, dirs_exist_ok=True)
    elif here.is_file() and tarfile.is_tarfile(here):
        _extract(here, code, source)
    elif here.is_file():
        shutil.copy2(here, code)
    else:
        raise ContainerFailure(f"Framework Error: \nNo such file or directory: {source!r}")


def missing_requirements(file: Path) -> list[str]:
    """Return the lines of a requirements file that this Python does not fulfil; options and URLs count as such."""
    lines = [line.split(" #")[0].strip() for line in file.read_text(encoding="utf-8").splitlines()]
    return [line for line in lines if line and not line.startswith("#") and not _is_fulfilled(line)]


def requirements_target(environments: Path, file: Path, install: Callable[[Path], None]) -> Path | None:
    """Return the folder with what the file asks for and this Python lacks; None when it lacks nothing.

    It is made once for each content of the file: `install` fills a folder, which then gets its final name.
    """
    if not missing_requirements(file):
        return None
    version = f"{sys.implementation.cache_tag}\n".encode()
    target = environments / hashlib.sha256(version + file.read_bytes()).hexdigest()[:32]
    if not target.is_dir():
        unfinished = Path(f"{target}.unfinished-{id(file)}")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        install(unfinished)
        try:
            unfinished.rename(target)
        except OSError:  # another job was faster
            shutil.rmtree(unfinished, ignore_errors=True)
    return target


def _is_fulfilled(line: str) -> bool:
    try:
        wanted = Requirement(line)
        if wanted.url or wanted.extras:
            return False
        if wanted.marker is not None and not wanted.marker.evaluate():
            return True
        return wanted.specifier.contains(metadata.version(wanted.name), prereleases=True)
    except (InvalidRequirement, metadata.PackageNotFoundError):
        return False


def _inside(source: str, tree: JobTree) -> Path:
    try:
        return tree.path(source.removeprefix("file://"))
    except ValueError as error:
        raise ClientProblem(f"sagemaker_submit_directory {source!r} is neither s3:// nor in /opt/ml") from error


def _extract(archive: Path, code: Path, source: str) -> None:
    try:
        with tarfile.open(archive, "r:gz") as tar:
            tar.extractall(code, filter="data")
    except (tarfile.TarError, OSError, EOFError) as error:
        raise ContainerFailure(f"Framework Error: \n{source} cannot be unpacked: {error}") from error


def _unreachable(source: str) -> str:
    return (
        f"Framework Error: \nthe container is isolated from the network and cannot download {source}; give the code "
        "as an input channel: sagemaker_submit_directory=/opt/ml/input/data/code/<file>"
    )
