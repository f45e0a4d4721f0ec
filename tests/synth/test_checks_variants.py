"""Every structure and setting with every validator: a new one comes with its acceptances, or is found here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from variants import ENVIRONMENTS, FEWER, PIPELINES, write_project

from modelwright.client.checks import run_checks
from modelwright.client.checks.programs import ensure_environment
from modelwright.config import load_project

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("environment", sorted(ENVIRONMENTS))
def test_nothing_is_found_that_nobody_accepted(tmp_path: Path, environment: str) -> None:
    project = write_project(tmp_path, environment)
    ensure_environment(project)
    report = run_checks(project, environment)
    assert [str(finding) for finding in report.findings] == []
    bounds = [item for item in report.measures if "at most" in item.what]
    assert len(bounds) == 2 * len(FEWER.get(environment, PIPELINES))
    assert all(item.found < item.limit for item in report.measures)


def test_the_variants_use_every_setting(tmp_path: Path) -> None:
    """A setting that no variant changes from its default is one that nobody looks at."""
    changed: set[str] = set()
    for environment in ENVIRONMENTS:
        folder = tmp_path / environment
        folder.mkdir()
        settings = load_project(write_project(folder, environment), environment).environment
        plain = type(settings)(settings.name, settings.region)
        changed |= {name for name in vars(settings) if getattr(settings, name) != getattr(plain, name)}
    assert changed >= set(vars(plain)) - {"name", "region"}


def test_the_variants_use_every_part_of_a_structure(tmp_path: Path) -> None:
    project = load_project(write_project(tmp_path, "fullsettings"), "fullsettings")
    structures = [pipeline.structure() for pipeline in project.pipelines.values()]
    for name in set(vars(structures[0])) - {"pipeline", "version"}:  # the latter is ours, not the user's
        assert len({getattr(item, name) for item in structures}) > 1, f"no variant has another {name}"
