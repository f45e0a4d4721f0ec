"""A pipeline whose merges come from CodeCommit, in a local cloud inside this process; nothing there has a thread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from codecommit_project import make_project
from pipeline_ground import REGION, Ground, Inline

from modelwright.client.synth import ensure_assembly
from modelwright.local.cloud import Cloud
from modelwright.local.daemon.deployed import deploy
from modelwright.local.functions import events

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_project(tmp_path_factory.mktemp("codecommit") / "project")


@pytest.fixture(scope="module")
def codecommit_assembly(project: Path) -> Path:
    return ensure_assembly(project, "dev")


@pytest.fixture(scope="module")
def cloud(codecommit_assembly: Path, project: Path) -> Iterator[Cloud]:
    made = Cloud(project / ".modelwright", REGION, scripts=[project / "training_code" / "penguins"])
    made.start()
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(events, "DELAYS_SECONDS", (0.0, 0.0))
            deploy(made, codecommit_assembly)
            functions: Any = made.services["lambda"]
            patch.setattr(functions._events, "_threads", Inline())
            yield made
    finally:
        made.stop()


@pytest.fixture(scope="module")
def ground(cloud: Cloud) -> Ground:
    return Ground(cloud)
