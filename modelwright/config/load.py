"""Loading a project: one environment and every pipeline, with all problems of all files at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from modelwright.config.read_environment import read_environment
from modelwright.config.read_pipeline import read_pipeline
from modelwright.errors import EnvironmentNotFound, PipelineNotFound, Problem, SettingsError
from modelwright.project import ENVIRONMENTS, TRAINING_CODE, environment_names, pipeline_names

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from modelwright.config.environment import EnvironmentSettings
    from modelwright.config.pipeline import PipelineSettings


@dataclass(frozen=True)
class Project:
    """All settings of a project in one environment."""

    root: Path
    environment: EnvironmentSettings
    pipelines: Mapping[str, PipelineSettings]
    """By name, sorted."""

    def pipeline(self, name: str) -> PipelineSettings:
        """Return the pipeline `name`, or raise `PipelineNotFound` with the nearest names."""
        found = self.pipelines.get(name)
        if found is None:
            raise PipelineNotFound(name, list(self.pipelines))
        return found


def load_project(root: Path, environment: str = "dev") -> Project:
    """Load the project in the folder `root` for one environment.

    Raises `EnvironmentNotFound` when the environment has no file, and `SettingsError` with every problem of every file
    when there is one. Nothing outside `root` is read, except AWS's tables that come with the installed packages.
    """
    path = root / ENVIRONMENTS / f"{environment}.yaml"
    if "/" in environment or not path.exists():
        raise EnvironmentNotFound(environment, environment_names(root))
    problems: list[Problem] = []
    settings = read_environment(path, f"{ENVIRONMENTS}/{path.name}", problems)
    pipelines = {}
    for folder in _folders(root):
        pipeline = read_pipeline(folder, f"{TRAINING_CODE}/{folder.name}", settings, problems)
        if pipeline:
            pipelines[pipeline.name] = pipeline
    if problems or settings is None:
        raise SettingsError(problems)
    return Project(root, settings, pipelines)


def load_pipeline(folder: Path, name: str, shown_folder: str, environment: EnvironmentSettings) -> PipelineSettings:
    """Load the pipeline `name` from any folder, such as one at another commit; problems name `shown_folder`.

    Raises `SettingsError` with every problem when there is one.
    """
    problems: list[Problem] = []
    found = read_pipeline(folder, shown_folder, environment, problems, name)
    if problems or found is None:
        raise SettingsError(problems)
    return found


def _folders(root: Path) -> list[Path]:
    """Every folder of `training_code/` is a pipeline; one without a `pipeline.yaml` is a mistake, not a choice."""
    found = {root / TRAINING_CODE / name for name in pipeline_names(root)}
    if (root / TRAINING_CODE).is_dir():
        candidates = (path for path in (root / TRAINING_CODE).iterdir() if path.is_dir())
        found |= {path for path in candidates if not path.name.startswith((".", "_")) and any(path.iterdir())}
    return sorted(found)
