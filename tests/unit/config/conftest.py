"""A small project on disk, and the problems that reading it gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from modelwright.config import Project, load_project
from modelwright.errors import SettingsError

if TYPE_CHECKING:
    from pathlib import Path

PIPELINE = """\
description: Tell things apart.
data: {source: data/things.csv}
process: {script: process.py, instance: ml.m5.large}
train:
  framework: sklearn
  version: "1.9-0"
  script: train.py
  instance: ml.m5.large
  hyperparameters: {C: 1.0}
evaluate: {script: evaluate.py, instance: ml.m5.large}
gate: ["accuracy >= 0.80"]
deploy: {endpoint: realtime, instance: ml.t2.medium, smoke_test: data/smoke.csv}
triggers: {merge: {branch: main}, schedule: rate(7 days)}
"""


@dataclass
class ProjectFolder:
    """A project whose files a test changes before it is loaded."""

    root: Path

    @property
    def folder(self) -> Path:
        return self.root / "training_code" / "things"

    def write(self, path: str, text: str) -> None:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, "utf-8")

    def replace(self, old: str, new: str) -> None:
        """Change the pipeline file at a text that must be there."""
        file = self.folder / "pipeline.yaml"
        text = file.read_text("utf-8")
        assert old in text
        file.write_text(text.replace(old, new), "utf-8")

    def load(self) -> Project:
        return load_project(self.root)

    def problems(self) -> list[str]:
        """The lines of the error that loading raises; none when it raises none."""
        try:
            self.load()
        except SettingsError as error:
            return [str(problem) for problem in error.problems]
        return []


@pytest.fixture
def project(tmp_path: Path) -> ProjectFolder:
    """A project with the environment `dev` and one right pipeline, `things`."""
    made = ProjectFolder(tmp_path)
    made.write("cdk.json", "{}")
    made.write("environments/dev.yaml", "region: eu-central-1\n")
    made.write("training_code/things/pipeline.yaml", PIPELINE)
    for script in ("process.py", "train.py", "evaluate.py", "inference.py"):
        made.write(f"training_code/things/{script}", "print('here')\n")
    made.write("training_code/things/data/things.csv", "a,b\n1,2\n")
    made.write("training_code/things/data/smoke.csv", "a\n1\n")
    return made
