"""What `modelwright deploy` hands to CDK: the same templates that ran locally, made with CDK's validation on."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from modelwright.client.deploys.deploying import make_assembly

if TYPE_CHECKING:
    from pathlib import Path


def test_what_is_deployed_is_what_ran_here(assembly: Path, project_copy: Path, tmp_path: Path) -> None:
    before = (assembly / "manifest.json").stat().st_mtime_ns
    made = make_assembly(project_copy, "dev", tmp_path)
    assert made.parent == tmp_path
    assert (assembly / "manifest.json").stat().st_mtime_ns == before, "cdk.out is the local cloud's"
    templates = sorted(path.name for path in assembly.glob("*.template.json"))
    assert templates
    for name in templates:
        assert json.loads((made / name).read_text()) == json.loads((assembly / name).read_text())
    again = make_assembly(project_copy, "dev", tmp_path)
    assert sorted(path.name for path in again.glob("*.template.json")) == templates, "nothing of the last time is left"
