"""`doctor`: what this machine needs to have."""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

from modelwright.client.cdk import cdk_version, is_installed
from modelwright.client.deploys.synth import bundled_node
from modelwright.client.doctor.findings import Finding, failure, ok, warning
from modelwright.errors import ModelwrightError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_LEAST = (3, 11)
_LEAST_GIB = 1
_GIB = 1024**3


def examine_machine(root: Path, environment: str) -> list[Finding]:
    """Look at everything on this machine that modelwright needs, and report all of it."""
    return [finding for check in (_python, _disk, _node, _cdk, _git) for finding in check(root)] + [
        _settings(root, environment)
    ]


def _python(_: Path) -> Iterator[Finding]:
    found = ".".join(str(part) for part in sys.version_info[:3])
    if sys.version_info[:2] < _LEAST:
        yield failure("python", f"{found} is too old.", "Set the project up with Python 3.11 or newer: `make setup`.")
    else:
        yield ok("python", f"{found} in {sys.prefix}.")


def _disk(root: Path) -> Iterator[Finding]:
    free = shutil.disk_usage(root).free / _GIB
    if free < _LEAST_GIB:
        hint = "Make room, or remove .modelwright/ (all that ran here, for good)."
        yield failure("disk", f"{free:.1f} GiB are free where the project is; runs keep their data there.", hint)
    else:
        yield ok("disk", f"{free:.0f} GiB are free where the project is.")


def _node(_: Path) -> Iterator[Finding]:
    try:
        node = bundled_node()
        version = subprocess.run([str(node), "--version"], capture_output=True, text=True, check=True).stdout.strip()
    except ModelwrightError as error:
        yield failure("node", error.message, error.hint or "Run `make setup`.")
    except (OSError, subprocess.CalledProcessError) as error:
        yield failure("node", f"the Node.js of the virtual environment does not run: {error}", "`make clean setup`.")
    else:
        yield ok("node", f"{version}, that of the virtual environment.")


def _cdk(root: Path) -> Iterator[Finding]:
    where = "in .modelwright/" if is_installed(root) else "not installed yet: the first deploy does that"
    yield ok("cdk", f"aws-cdk {cdk_version()}, {where}.")


def _git(root: Path) -> Iterator[Finding]:
    if shutil.which("git") is None:
        yield warning("git", "there is no git.", "Install it: without it, releases do not know their commit.")
        return
    found = subprocess.run(
        ["git", "rev-parse", "--is-inside-work-tree"], cwd=root, capture_output=True, text=True, check=False
    )
    if found.returncode:
        yield warning("git", "the project is in no repository of git.", "`git init`: else no merge can be released.")
    else:
        yield ok("git", "the project is in a repository.")


def _settings(root: Path, environment: str) -> Finding:
    """Any problem of any file, as every command would say it."""
    from modelwright.config import load_project  # noqa: PLC0415 # heavier than the rest of this file

    try:
        project = load_project(root, environment)
    except ModelwrightError as error:
        return failure("settings", error.message, error.hint or "docs/settings.md lists every key.")
    count = len(project.pipelines)
    pipelines = "1 pipeline" if count == 1 else f"{count} pipelines"
    return ok("settings", f"{pipelines} in the environment {environment}, {project.environment.region}.")
