"""A project of its own with a local cloud of its own, and the command line as a process."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from modelwright.client.deploys.synth import ASSEMBLY
from modelwright.local.daemon.attach import shut_down

REPOSITORY = Path(__file__).parents[3]
LINKED = ("app.py", "cdk.json", "stacks", "lambdas", "environments")
Command = Callable[..., subprocess.CompletedProcess[str]]


def command_line(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "modelwright", *arguments]


def variables() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "MODELWRIGHT_"))}
    return {**kept, "PYTHONPATH": str(REPOSITORY), "TZ": "UTC"}


@pytest.fixture
def given() -> dict[str, str]:
    """The variables that a command gets."""
    return variables()


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, assembly: Path) -> Iterator[Path]:
    """The real project's template, and a copy of its pipeline that a test may change; what it started ends with it."""
    folder = tmp_path_factory.mktemp("project")
    for name in LINKED:
        (folder / name).symlink_to(REPOSITORY / name)
    shutil.copytree(
        REPOSITORY / "training_code", folder / "training_code", ignore=shutil.ignore_patterns("__pycache__")
    )
    shutil.copytree(assembly, folder / ASSEMBLY)
    yield folder
    with suppress(Exception):
        shut_down(folder, force=True)


@pytest.fixture(scope="module")
def modelwright(project: Path) -> Command:
    """Run one command to its end."""

    def run(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command_line(*arguments),
            cwd=project,
            env=variables(),
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    return run


@pytest.fixture
def start(project: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start a command and go on; it ends with the test."""
    started: list[subprocess.Popen[str]] = []

    def run(*arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            command_line(*arguments),
            cwd=project,
            env=variables(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def train(project: Path) -> Iterator[Callable[[str], None]]:
    """Replace the training script; afterwards it is as it was."""
    script = project / "training_code" / "penguins" / "train.py"
    before = script.read_text()
    yield lambda text: script.write_text(text) and None
    script.write_text(before)
