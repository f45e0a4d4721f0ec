"""The pipeline deployed in a local cloud inside this process; what an event calls is done when it was told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pipeline_ground import REGION, Inline
from pipeline_stage import Stage

from modelwright.local.cloud import Cloud
from modelwright.local.daemon.deployed import deploy
from modelwright.local.functions import events

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def cloud(assembly: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
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
def stage(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Stage:
    return Stage(cloud, tmp_path_factory.mktemp("releases"))
