"""Why a local cloud does not start reaches the command as a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from modelwright.errors import LocalCloudBusy, LocalCloudFailed, StateUnusable
from modelwright.local.daemon.attach import attach
from modelwright.local.daemon.control import DIRECTORY
from modelwright.local.store.database import FILE_NAME

if TYPE_CHECKING:
    from pathlib import Path


def test_a_damaged_state_reaches_the_command_as_a_sentence(root: Path) -> None:
    (root / DIRECTORY).mkdir()
    (root / DIRECTORY / FILE_NAME).write_bytes(b"not a database" * 1000)
    with pytest.raises(StateUnusable, match=r"state.sqlite3 cannot be used: file is not a database\.\nMove the file"):
        attach(root).ready()


def test_an_environment_of_another_region_waits_for_the_end(root: Path) -> None:
    (root / "environments" / "prod.yaml").write_text("region: us-east-1\n")
    (root / "environments" / "test.yaml").write_text("region: eu-central-1\n")
    with attach(root).ready() as cloud:
        with attach(root, "test").ready() as other:
            assert other.endpoint_url == cloud.endpoint_url
        with pytest.raises(LocalCloudBusy, match=r"up as eu-central-1 \(environment dev\).*prod is in us-east-1"):
            attach(root, "prod").ready()
    with attach(root, "prod") as cloud:
        assert cloud.region == "us-east-1"


def test_a_folder_that_is_a_file_reaches_the_command_as_a_sentence(root: Path) -> None:
    (root / DIRECTORY).write_text("")
    with pytest.raises(StateUnusable, match=r"\.modelwright cannot be written: File exists"):
        attach(root).ready()


def test_a_missing_environment_reaches_the_command_as_a_sentence(root: Path) -> None:
    with pytest.raises(LocalCloudFailed, match=r"no environments/dve\.yaml\.\nDid you mean dev\?"):
        attach(root, "dve").ready()
    with attach(root).ready():
        pass


def test_a_daemon_that_cannot_run_shows_its_last_words(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = root / "broken" / "modelwright"
    broken.mkdir(parents=True)
    (broken / "__init__.py").write_text("raise SystemExit('this installation is broken')")
    monkeypatch.setenv("PYTHONPATH", str(broken.parent))
    monkeypatch.chdir(root)
    with pytest.raises(LocalCloudFailed, match=r"did not start: this installation is broken$"):
        attach(root).ready()
