"""The real project in a git repository of its own, its penguins merged from CodeCommit."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from codecommit_repository import PROJECT, commit, make_repository

if TYPE_CHECKING:
    from pathlib import Path

LINKED = ("app.py", "cdk.json", "stacks", "lambdas")
REPOSITORY, BRANCH = "models", "main"


def make_project(folder: Path) -> Path:
    """Make the project, committed on `main`."""
    make_repository(folder)
    for name in LINKED:
        (folder / name).symlink_to(PROJECT / name)
    for name in ("training_code", "environments"):
        shutil.copytree(PROJECT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    merge = f"merge: {{codecommit: {REPOSITORY}, branch: {BRANCH}}}"
    replace(folder / "training_code" / "penguins" / "pipeline.yaml", "merge: {branch: main}", merge)
    (folder / ".gitignore").write_text("__pycache__/\n.modelwright/\ncdk.out/\n")
    commit(folder, "the project")
    return folder


def replace(path: Path, old: str, new: str) -> None:
    """Change a text in a file, which must be there."""
    text = path.read_text()
    assert old in text, f"{path} has no {old!r}"
    path.write_text(text.replace(old, new, 1))
