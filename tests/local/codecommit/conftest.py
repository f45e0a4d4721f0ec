"""A pipeline whose merges come from CodeCommit, in a local cloud inside this process; nothing there has a thread."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from codecommit_project import make_project
from deployed_cloud import deployed_cloud, events_inline
from pipeline_ground import Ground

from modelwright.client.deploys.synth import ensure_assembly

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from modelwright.local.cloud import Cloud


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_project(tmp_path_factory.mktemp("codecommit") / "project")


@pytest.fixture(scope="module")
def codecommit_assembly(project: Path) -> Path:
    return ensure_assembly(project, "dev")


@pytest.fixture(scope="module")
def cloud(codecommit_assembly: Path, project: Path) -> Iterator[Cloud]:
    scripts = [project / "training_code" / "penguins"]
    folder = project / ".modelwright"
    with deployed_cloud(folder, codecommit_assembly, scripts=scripts) as made, events_inline(made):
        yield made


@pytest.fixture(scope="module")
def ground(cloud: Cloud) -> Ground:
    return Ground(cloud)
