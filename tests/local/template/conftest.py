"""A local cloud to deploy templates of a few lines into; nothing is started that they do not need."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tiny_assembly import write_assembly

from modelwright.local.cloud import Cloud

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class World:
    """A cloud and its stacks."""

    def __init__(self, cloud: Cloud, folder: Path) -> None:
        self.cloud = cloud
        self._folder = folder
        self._number = 0
        self.formation: Any = cloud.services["cloudformation"]

    def deploy(self, templates: dict[str, Any], revive: tuple[str, ...] = (), **more: Any) -> Any:
        """Deploy stacks, name -> Resources (or a whole template)."""
        self._number += 1
        whole = {name: found if "Resources" in found else {"Resources": found} for name, found in templates.items()}
        return self.formation.deploy(write_assembly(self._folder / str(self._number), whole, **more), revive)

    def client(self, service: str) -> Any:
        return self.cloud.client(service)

    def stack(self, name: str) -> dict[str, Any]:
        return dict(self.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0])

    def physical(self, stack: str) -> dict[str, str]:
        """Physical ids by logical id."""
        found = self.client("cloudformation").describe_stack_resources(StackName=stack)["StackResources"]
        return {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in found}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    cloud = Cloud(tmp_path / "cloud", "eu-central-1", warm=False)
    cloud.start()
    yield World(cloud, tmp_path / "assemblies")
    cloud.stop()
