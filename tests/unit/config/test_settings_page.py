"""docs/settings.md shows every key, and what it shows is right."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

from modelwright.config import EnvironmentSettings, environment, pipeline

PAGE = (Path(__file__).parents[3] / "docs" / "settings.md").read_text("utf-8")
PIPELINE, ENVIRONMENT = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
# fields that are no keys of their own, or are spelled by their section
NOT_KEYS = {"name", "folder", "notify_emails"} | {
    "merge_branch",
    "merge_codecommit",
    "merge_github",
    "data_marker",
    "data_every_records",
}


def fields(*classes: type) -> set[str]:
    return {item.name for each in classes for item in dataclasses.fields(each)} - NOT_KEYS


def test_both_examples_are_right(project) -> None:
    project.write("environments/dev.yaml", ENVIRONMENT)
    project.write("training_code/things/pipeline.yaml", PIPELINE)
    (project.folder / "data" / "things.csv").rename(project.folder / "data" / "penguins.csv")
    assert project.problems() == []
    loaded = project.load()
    shown = dataclasses.replace(loaded.environment, account=None, notify_emails=())
    assert shown == EnvironmentSettings("dev", "eu-central-1"), "a value in the page is not the default that it names"


def test_every_key_is_shown() -> None:
    keys = fields(
        pipeline.PipelineSettings,
        pipeline.DataSettings,
        pipeline.ProcessingSettings,
        pipeline.TrainingSettings,
        pipeline.DeploySettings,
        pipeline.TriggerSettings,
    )
    assert {key for key in keys if f"{key}:" not in PIPELINE} == set()
    keys = fields(
        environment.EnvironmentSettings, environment.LogSettings, environment.AlarmSettings, environment.LimitSettings
    )
    assert {key for key in keys if f"{key}:" not in ENVIRONMENT} == set()
