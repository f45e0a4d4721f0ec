"""What was deployed is made again at each start, whatever the folder it came from holds by then."""

from __future__ import annotations

import shutil
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from modelwright.clock import SystemClock
from modelwright.errors import ModelwrightError
from modelwright.local.daemon.deployed import deploy, deploy_again, fingerprint
from modelwright.local.store.database import Database

if TYPE_CHECKING:
    from pathlib import Path


class FakeCloudFormation:
    """Remembers which templates it was asked to deploy."""

    def __init__(self) -> None:
        self.templates: list[str] = []
        self.fails = False
        self.stack = ""

    def deploy(self, directory: Path, revive: Any = ()) -> SimpleNamespace:
        if self.fails:
            raise ModelwrightError("no")
        self.templates.append((directory / "template.json").read_text())
        return SimpleNamespace(created=(self.stack or "a",), updated=(), unchanged=tuple(revive))


@pytest.fixture
def cloud(tmp_path: Path):
    folder = tmp_path / ".modelwright"
    folder.mkdir()
    database = Database(folder / "s")
    yield SimpleNamespace(
        region="r-1",
        directory=folder,
        database=database,
        clock=SystemClock(),
        services={"cloudformation": FakeCloudFormation()},
    )
    database.close()


@pytest.fixture
def assembly(tmp_path: Path) -> Path:
    folder = tmp_path / "cdk.out"
    (folder / "asset.1").mkdir(parents=True)
    (folder / "asset.1" / "handler.py").write_text("code")
    (folder / "template.json").write_text("first")
    return folder


def templates(cloud: Any) -> list[str]:
    return cloud.services["cloudformation"].templates


def test_a_start_deploys_what_was_deployed_though_the_folder_has_changed_or_gone(cloud, assembly) -> None:
    assert deploy(cloud, assembly, ["s"]) == {"created": ("a",), "updated": (), "unchanged": ("s",)}
    (assembly / "template.json").write_text("second, not deployed")
    deploy_again(cloud)
    shutil.rmtree(assembly)
    deploy_again(cloud)
    assert templates(cloud) == ["first", "first", "first"]


def test_nothing_is_deployed_at_the_first_start(cloud) -> None:
    deploy_again(cloud)
    assert templates(cloud) == []


def test_a_failed_deploy_is_not_remembered(cloud, assembly) -> None:
    deploy(cloud, assembly)
    (assembly / "template.json").write_text("second")
    cloud.services["cloudformation"].fails = True
    with pytest.raises(ModelwrightError):
        deploy(cloud, assembly)
    cloud.services["cloudformation"].fails = False
    deploy_again(cloud)
    assert templates(cloud) == ["first", "first"]


def test_older_copies_go_at_the_next_start(cloud, assembly) -> None:
    deploy(cloud, assembly)
    (assembly / "template.json").write_text("second")
    deploy(cloud, assembly)
    assert len(list((cloud.directory / "deployed").iterdir())) == 2
    deploy_again(cloud)
    assert [each.name for each in (cloud.directory / "deployed").iterdir()] == [fingerprint(assembly)]


def test_environments_are_made_again_side_by_side(cloud, assembly) -> None:
    deploy(cloud, assembly)
    (assembly / "template.json").write_text("another environment's")
    cloud.services["cloudformation"].stack = "b"
    deploy(cloud, assembly)
    templates(cloud).clear()
    deploy_again(cloud)
    assert templates(cloud) == ["first", "another environment's"]


def test_what_is_in_another_region_waits_until_the_local_cloud_is_that_region_again(cloud, assembly) -> None:
    deploy(cloud, assembly)
    templates(cloud).clear()
    cloud.region = "r-2"
    deploy_again(cloud)
    assert templates(cloud) == []
    cloud.region = "r-1"
    deploy_again(cloud)
    assert templates(cloud) == ["first"]


def test_what_was_kept_by_an_earlier_version_is_made_again_and_then_replaced(cloud, assembly) -> None:
    deploy(cloud, assembly)
    for name, _ in cloud.database.all("deployed"):
        cloud.database.delete("deployed", name)
    cloud.database.put("deployed", "assembly", {"fingerprint": fingerprint(assembly), "from": ""})
    deploy_again(cloud)
    assert templates(cloud) == ["first", "first"]
    deploy(cloud, assembly)
    assert [name for name, _ in cloud.database.all("deployed")] == [fingerprint(assembly)]


@pytest.mark.parametrize("lost", [True, False])
def test_a_start_goes_on_when_it_cannot_be_deployed_again(cloud, assembly, caplog, lost) -> None:
    deploy(cloud, assembly)
    if lost:
        shutil.rmtree(cloud.directory / "deployed")
    else:
        cloud.services["cloudformation"].fails = True
    deploy_again(cloud)
    assert "deployed before" in caplog.text


def test_the_fingerprint_is_of_names_and_contents(assembly) -> None:
    before = fingerprint(assembly)
    assert fingerprint(assembly) == before
    (assembly / "asset.1" / "handler.py").rename(assembly / "asset.1" / "other.py")
    assert fingerprint(assembly) != before
