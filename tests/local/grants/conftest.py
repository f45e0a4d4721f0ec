"""The pipeline deployed in a local cloud inside this process; pauses between attempts are cut short."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pipeline_ground import REGION, Inline
from pipeline_stage import Stage
from policy_surgery import Decisions

from modelwright.local.cloud import Cloud
from modelwright.local.daemon.deployed import deploy
from modelwright.local.functions import events
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


@pytest.fixture(scope="module")
def cloud(hurried: None, assembly: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    made = Cloud(tmp_path_factory.mktemp("cloud"), REGION)
    made.start()
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(events, "DELAYS_SECONDS", (0.0, 0.0))
            deploy(made, assembly)
            functions: Any = made.services["lambda"]
            patch.setattr(functions._events, "_threads", Inline())
            yield made
    finally:
        made.stop()


@pytest.fixture(scope="module")
def decisions(cloud: Cloud) -> Decisions:
    return Decisions(cloud)


@pytest.fixture(scope="module")
def stage(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Stage:
    return Stage(cloud, tmp_path_factory.mktemp("releases"))
