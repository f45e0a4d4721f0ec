"""The fullest pipeline deployed in a local cloud inside this process, by a clock that tests move on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from alarm_stage import AlarmStage, fullest_project
from pipeline_ground import REGION
from skewed_clock import SkewedClock

from modelwright.client.synth import ensure_assembly
from modelwright.local.cloud import Cloud
from modelwright.local.daemon.deployed import deploy
from modelwright.local.stepfunctions.environment import Interrupted, LocalEnvironment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HURRY = 500


@pytest.fixture(scope="module")
def hurried() -> Iterator[None]:
    """Waits and back-off of state machines are 500 times shorter. Timeouts are what they are."""

    def sleep(self: LocalEnvironment, seconds: float) -> None:
        if self.runtime.sleep(seconds / HURRY, self.over):
            raise Interrupted

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LocalEnvironment, "sleep", sleep)
        yield


@pytest.fixture(scope="session")
def fullest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fullest_project(tmp_path_factory.mktemp("fullest") / "project")


@pytest.fixture(scope="session")
def fullest_assembly(fullest: Path) -> Path:
    return ensure_assembly(fullest, "dev")


@pytest.fixture(scope="module")
def clock() -> SkewedClock:
    return SkewedClock()


@pytest.fixture(scope="module")
def cloud(
    hurried: None, clock: SkewedClock, fullest_assembly: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Cloud]:
    made = Cloud(tmp_path_factory.mktemp("cloud"), REGION, clock=clock)
    made.start()
    try:
        deploy(made, fullest_assembly)
        yield made
    finally:
        made.stop()


@pytest.fixture(scope="module")
def at(cloud: Cloud, clock: SkewedClock, fullest: Path, tmp_path_factory: pytest.TempPathFactory) -> AlarmStage:
    return AlarmStage(cloud, clock, fullest, tmp_path_factory.mktemp("releases"))
