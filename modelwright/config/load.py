"""Loading a project: one environment and every pipeline, with all problems of all files at once."""

from __future__ import annotations

from dataclasses import dataclass, field
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
    left_out: Mapping[str, tuple[Problem, ...]] = field(default_factory=dict)
    """Pipelines that cannot be read, each with what is wrong; none of a project that was loaded whole."""

    def pipeline(self, name: str) -> PipelineSettings:
        """Return the pipeline `name`; `PipelineNotFound` with the nearest names, `SettingsError` for one left out."""
        if name in self.left_out:
            raise SettingsError(self.left_out[name])
        found = self.pipelines.get(name)
        if found is None:
            raise PipelineNotFound(name, list(self.pipelines))
        return found


def load_project(root: Path, environment: str = "dev", *, leave_out_wrong: bool = False) -> Project:
    """Load the project in the folder `root` for one environment.

    With `leave_out_wrong`, a pipeline whose settings are wrong is in `left_out`, and the others can be looked at and
    ended all the same.

    Raises `EnvironmentNotFound` when the environment has no file, and `SettingsError` with every problem of every file
    when there is one. Nothing outside `root` is read, except AWS's tables that come with the installed packages.
    """
    path = root / ENVIRONMENTS / f"{environment}.yaml"
    if "/" in environment or not path.exists():
        raise EnvironmentNotFound(environment, environment_names(root))
    problems: list[Problem] = []
    settings = read_environment(path, f"{ENVIRONMENTS}/{path.name}", problems)
    pipelines, left_out = {}, {}
    for folder in _folders(root):
        wrong: list[Problem] = []
        pipeline = read_pipeline(folder, f"{TRAINING_CODE}/{folder.name}", settings, wrong)
        if wrong:
            left_out[folder.name] = tuple(wrong)
        elif pipeline:
            pipelines[pipeline.name] = pipeline
    if problems or settings is None or (left_out and not leave_out_wrong):
        raise SettingsError([*problems, *(problem for wrong in left_out.values() for problem in wrong)])
    return Project(root, settings, pipelines, left_out)


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
