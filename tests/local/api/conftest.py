"""A REST API over one function in a local cloud inside this process."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from api_stage import Apis

from modelwright.local.cloud import Cloud

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def apis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Apis]:
    folder = tmp_path_factory.mktemp("apis")
    cloud = Cloud(folder / "cloud", "eu-central-1", warm=False)
    cloud.start()
    try:
        made = Apis(cloud, folder)
        made.deploy()
        yield made
    finally:
        cloud.stop()
