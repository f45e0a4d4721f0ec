"""The template is a function of the settings alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from modelwright.client.checks.repeatability import differences
from modelwright.client.deploys.synth import FINGERPRINT, synthesize

if TYPE_CHECKING:
    from pathlib import Path


def test_two_synths_are_equal_byte_for_byte(assembly: Path, project_copy: Path, tmp_path: Path) -> None:
    """Another folder, another order of hashing, and the switch for the policy checks left off."""
    synthesize(project_copy, "dev", tmp_path / "again", {"PYTHONHASHSEED": "7"})
    (tmp_path / "again" / FINGERPRINT).write_bytes((assembly / FINGERPRINT).read_bytes())
    assert list(differences(assembly, tmp_path / "again")) == []


@pytest.mark.parametrize("change", ["other bytes", "one more", "one less"])
def test_a_difference_is_found(tmp_path: Path, change: str) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "t.json").write_text("{}")
    if change == "other bytes":
        (tmp_path / "b" / "t.json").write_text("{ }")
    elif change == "one more":
        (tmp_path / "b" / "u.json").write_text("{}")
    else:
        (tmp_path / "b" / "t.json").unlink()
    (found,) = differences(tmp_path / "a", tmp_path / "b")
    assert found.where == ("u.json" if change == "one more" else "t.json")


def test_no_path_of_this_machine_is_in_the_assembly(assembly: Path) -> None:
    for path in assembly.glob("*.json"):
        assert str(assembly.parent) not in path.read_text("utf-8")
        assert "/stacks/" not in path.read_text("utf-8"), path.name
