"""Executions that are asked about, stopped or ended at the moment of their start."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import pytest

from modelwright.clock import SystemClock
from modelwright.local.service import AwsError
from modelwright.local.stepfunctions import executions as module
from modelwright.local.stepfunctions.executions import Executions
from modelwright.local.store.database import Database

ARN = "arn:aws:states:us-east-1:123456789012:execution:m:x"


class SlowThread(threading.Thread):
    """Somebody waits for the execution before its thread runs."""

    def __init__(self, executions: Executions, work) -> None:
        super().__init__(target=work, daemon=True)
        self._executions = executions
        self.raised: list[Exception] = []
        self.waiting = threading.Thread(target=self._wait)

    def _wait(self) -> None:
        try:
            self._executions.wait(ARN, 30)
        except RuntimeError as error:
            self.raised.append(error)

    def start(self) -> None:
        self.waiting.start()
        self.waiting.join(0.1)
        super().start()


class Run:
    executions: Executions

    def __init__(self, cloud, machine, record, value, *, recorder, ended) -> None:
        self.record = {**record, "status": "SUCCEEDED"}
        self.events: list[dict] = []
        self.thread = SlowThread(self.executions, lambda: ended(self))
        made.append(self)


made: list[Run] = []


@pytest.fixture
def executions(tmp_path, monkeypatch):
    made.clear()
    monkeypatch.setattr(module, "Run", Run)
    database = Database(tmp_path / "state")
    Run.executions = Executions(SimpleNamespace(database=database, log=print, clock=SystemClock()))
    yield Run.executions
    for run in made:
        run.thread.waiting.join(30)
    database.close()


def machine():
    arn = "arn:aws:states:us-east-1:123456789012:stateMachine:m"
    return SimpleNamespace(arn=arn, name="m", definition="{}", role_arn="r", logging=None)


def test_who_waits_for_one_that_is_about_to_run_waits_for_its_end(executions):
    executions.start(machine(), "x", "{}")
    (run,) = made
    run.thread.join(30)
    run.thread.waiting.join(30)
    assert (run.thread.raised, executions.get(ARN)["status"]) == ([], "SUCCEEDED")
    executions.close()


def test_none_begins_once_the_local_cloud_ends(executions):
    executions.close()
    with pytest.raises(AwsError, match="is being stopped"):
        executions.start(machine(), "x", "{}")
    assert made == []


def test_one_whose_end_cannot_be_written_is_no_longer_running(executions, monkeypatch):
    executions.start(machine(), "x", "{}")
    (run,) = made
    run.thread.join(30)
    executions._running[ARN] = run

    def full(_) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(executions.records, "put", full)
    with pytest.raises(OSError, match="no space left"):
        executions._ended(run)
    assert executions._running == {}
    executions.close()
