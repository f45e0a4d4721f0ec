"""The fullest pipeline deployed in a local cloud inside this process, by a clock that tests move on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from alarm_stage import AlarmStage, fullest_project
from deployed_cloud import deployed_cloud, waits_hurried
from skewed_clock import SkewedClock

from modelwright.client.deploys.synth import ensure_assembly

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from modelwright.local.cloud import Cloud


@pytest.fixture(scope="module")
def hurried() -> Iterator[None]:
    with waits_hurried():
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
    with deployed_cloud(tmp_path_factory.mktemp("cloud"), fullest_assembly, clock=clock) as made:
        yield made


@pytest.fixture(scope="module")
def at(cloud: Cloud, clock: SkewedClock, fullest: Path, tmp_path_factory: pytest.TempPathFactory) -> AlarmStage:
    return AlarmStage(cloud, clock, fullest, tmp_path_factory.mktemp("releases"))
