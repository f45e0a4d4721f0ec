"""A pipeline whose merges come from GitHub, in a local cloud inside this process."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from deployed_cloud import deployed_cloud
from github_project import make_project
from pipeline_ground import Ground

from modelwright.client.deploys.synth import ensure_assembly

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from modelwright.local.cloud import Cloud


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_project(tmp_path_factory.mktemp("github") / "project")


@pytest.fixture(scope="module")
def github_assembly(project: Path) -> Path:
    return ensure_assembly(project, "dev")


@pytest.fixture(scope="module")
def cloud(github_assembly: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with deployed_cloud(tmp_path_factory.mktemp("cloud"), github_assembly) as made:
        yield made


@pytest.fixture(scope="module")
def ground(cloud: Cloud) -> Ground:
    return Ground(cloud)
