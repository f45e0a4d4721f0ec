"""Where the project is that a command works on."""

from __future__ import annotations

from pathlib import Path

from modelwright.errors import ProjectNotFound

TRAINING_CODE = "training_code"
ENVIRONMENTS = "environments"


def find_root(start: Path | None = None) -> Path:
    """Return the nearest folder that has `cdk.json` and `training_code/`, from `start` (the working directory) upwards.

    Raises `ProjectNotFound` when there is none.
    """
    folder = (start or Path.cwd()).resolve()
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
