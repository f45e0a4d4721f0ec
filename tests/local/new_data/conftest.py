"""A pipeline that ten new records start, in a local cloud inside this process; nothing there has a thread."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from deployed_cloud import deployed_cloud, events_inline
from own_environments import LINKED, PROJECT
from pipeline_ground import Ground

from modelwright.client.deploys.synth import ensure_assembly

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from modelwright.local.cloud import Cloud

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
    assembly = ensure_assembly(counting_project, "dev")
    with deployed_cloud(counting_project / ".modelwright", assembly) as made, events_inline(made):
        yield made


@pytest.fixture(scope="module")
def ground(cloud: Cloud) -> Ground:
    return Ground(cloud)
