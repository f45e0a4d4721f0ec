"""A project of its own as working directory, the command line, and an account and a CDK of a test's making."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from command_line import REPOSITORY, Say
from fake_cdk import FakeCdk, fake_cdk
from ready_account import ready_account

from modelwright.cli import main
from modelwright.client.deploys import deploying

if TYPE_CHECKING:
    from pathlib import Path

    from fake_account import FakeAccount


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project like the real one, in a folder of its own, as working directory."""
    for name in ("cdk.json", "app.py", "environments", "training_code"):
        source = REPOSITORY / name
        if name == "training_code":
            (tmp_path / name).mkdir()
            (tmp_path / name / "penguins").symlink_to(source / "penguins")
        else:
            (tmp_path / name).symlink_to(source)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MODELWRIGHT_ENV", raising=False)
    return tmp_path


@pytest.fixture
def deployable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same with a pipeline that a test may change, and no synth."""
    for name in ("cdk.json", "app.py", "environments"):
        (tmp_path / name).symlink_to(REPOSITORY / name)
    shutil.copytree(REPOSITORY / "training_code/penguins", tmp_path / "training_code/penguins")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MODELWRIGHT_ENV", raising=False)
    monkeypatch.setattr(deploying, "make_assembly", lambda _root, _env, folder: folder / "assembly")
    return tmp_path


@pytest.fixture
def say(capfd: pytest.CaptureFixture[str]) -> Say:
    """Run a command: its exit code, and what it wrote on standard output and standard error."""

    def run(*arguments: str) -> tuple[int, str, str]:
        try:
            code = main.run(list(arguments))
        except SystemExit as error:  # argparse's own way
            code = int(error.code or 0)
        out, err = capfd.readouterr()
        return code, out, err

    return run


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> FakeAccount:
    """Ready for the sample pipeline; every stack is there."""
    made = ready_account()
    monkeypatch.setattr("modelwright.cli.platform.Session", made.session)
    return made


@pytest.fixture
def cdk(deployable: Path, monkeypatch: pytest.MonkeyPatch) -> FakeCdk:
    return fake_cdk(deployable, monkeypatch, outputs={"mw-dev-penguins": {"EndpointName": "mw-dev-penguins"}})
