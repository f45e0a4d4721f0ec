"""Orphans: ended when they are provably ours, left alone when not."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from modelwright.local.processes import orphans
from modelwright.local.store.database import Database

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(tmp_path / "state.sqlite3")


@pytest.fixture
def sleeper():
    process = subprocess.Popen(["sleep", "1000"], start_new_session=True)
    yield process
    process.kill()
    process.wait()


def test_a_recorded_process_is_ended_and_forgotten(database: Database, sleeper: subprocess.Popen[bytes]) -> None:
    orphans.record(database, sleeper.pid, "job python3 train.py")
    assert orphans.end_orphans(database) == [f"job python3 train.py (pid {sleeper.pid})"]
    assert sleeper.wait(60) == -9
    assert database.all(orphans.KIND) == []


@pytest.mark.parametrize("change", [{"began": "1"}, {"boot": "another"}, {"began": None}])
def test_another_process_with_that_pid_is_left_alone(database, sleeper, change) -> None:
    orphans.record(database, sleeper.pid, "job")
    found = database.get(orphans.KIND, str(sleeper.pid))
    database.put(orphans.KIND, str(sleeper.pid), {**found, **change})
    assert orphans.end_orphans(database) == []
    assert sleeper.poll() is None
    assert database.all(orphans.KIND) == []


def test_a_process_that_ended_properly_is_forgotten(database: Database) -> None:
    orphans.record(database, os.getpid(), "job")
    orphans.forget(database, os.getpid())
    assert orphans.end_orphans(database) == []


def test_a_process_that_is_gone_has_no_beginning(sleeper) -> None:
    assert orphans.began(sleeper.pid) is not None
    sleeper.kill()
    sleeper.wait()
    assert orphans.began(sleeper.pid) is None
