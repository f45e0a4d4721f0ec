"""The pipeline deployed in a local cloud inside this process; what an event calls is done when it was told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from deployed_cloud import deployed_cloud, events_inline
from pipeline_stage import Stage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from modelwright.local.cloud import Cloud


@pytest.fixture(scope="module")
def cloud(assembly: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with deployed_cloud(tmp_path_factory.mktemp("cloud"), assembly) as made, events_inline(made):
        yield made


@pytest.fixture(scope="module")
def stage(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Stage:
    return Stage(cloud, tmp_path_factory.mktemp("releases"))
