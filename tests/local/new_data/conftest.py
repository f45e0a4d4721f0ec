"""A pipeline that ten new records start, in a local cloud inside this process; nothing there has a thread."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest
from own_environments import LINKED, PROJECT
from pipeline_ground import REGION, Ground, Inline

from modelwright.client.synth import ensure_assembly
from modelwright.local.cloud import Cloud
from modelwright.local.daemon.deployed import deploy
from modelwright.local.functions import events

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

EVERY = 10


@pytest.fixture(scope="module")
def counting_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("counting") / "project"
    folder.mkdir()
    for name in {*LINKED, "environments"} - {"training_code"}:
        (folder / name).symlink_to(PROJECT / name)
    shutil.copytree(PROJECT / "training_code", folder / "training_code")
    settings = folder / "training_code" / "penguins" / "pipeline.yaml"
    text = settings.read_text()
    assert "{marker: _SUCCESS}" in text
    settings.write_text(text.replace("{marker: _SUCCESS}", f"{{every_records: {EVERY}}}"))
    return folder


@pytest.fixture(scope="module")
def cloud(counting_project: Path) -> Iterator[Cloud]:
    made = Cloud(counting_project / ".modelwright", REGION)
    made.start()
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(events, "DELAYS_SECONDS", (0.0, 0.0))
            deploy(made, ensure_assembly(counting_project, "dev"))
            functions: Any = made.services["lambda"]
            patch.setattr(functions._events, "_threads", Inline())
            yield made
    finally:
        made.stop()


@pytest.fixture(scope="module")
def ground(cloud: Cloud) -> Ground:
    return Ground(cloud)
