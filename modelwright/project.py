"""Where the project is that a command works on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelwright.errors import ProjectNotFound

if TYPE_CHECKING:
    from pathlib import Path

TRAINING_CODE = "training_code"
ENVIRONMENTS = "environments"


def find_project_root(start: Path) -> Path:
    """Return the nearest folder, from `start` upwards, that has `cdk.json` and `training_code/`.

    Raises `ProjectNotFound` when there is none.
    """
    folder = start.resolve()
    for candidate in (folder, *folder.parents):
        if (candidate / "cdk.json").is_file() and (candidate / TRAINING_CODE).is_dir():
            return candidate
    raise ProjectNotFound(
        f"{folder} is in no modelwright project: neither it nor a folder above has cdk.json and {TRAINING_CODE}/.",
        "Change into the project's folder first.",
    )


def pipeline_names(root: Path) -> list[str]:
    """Return the names of the folders in `training_code/` that are pipelines (have a `pipeline.yaml`), sorted."""
    folders = (path.parent for path in (root / TRAINING_CODE).glob("*/pipeline.yaml"))
    return sorted(folder.name for folder in folders if not folder.name.startswith((".", "_")))


def environment_names(root: Path) -> list[str]:
    """Return the names of the files in `environments/`, sorted."""
    return sorted(path.stem for path in (root / ENVIRONMENTS).glob("*.yaml"))
