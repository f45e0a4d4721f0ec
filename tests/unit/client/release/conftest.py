from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from released_project import commit, git

from modelwright.cli.scaffold import scaffold

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with the pipeline `things`, in no repository."""
    found = tmp_path / "project"
    (found / "environments").mkdir(parents=True)
    (found / "cdk.json").write_text("{}")
    (found / "environments" / "dev.yaml").write_text("region: eu-central-1\n")
    (found / "training_code").mkdir()
    scaffold(found, "things")
    return found


@pytest.fixture
def repository(root: Path) -> Path:
    """The same, all of it committed."""
    git(root, "init", "-q", "-b", "main")
    commit(root)
    return root
