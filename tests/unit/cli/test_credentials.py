"""With `--aws`: without credentials nothing is touched, and one sentence says what is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from command_line import Say


AWS_COMMANDS = [
    ("run", "penguins", "--aws"),
    ("run", "penguins", "--aws", "--json"),
    ("runs", "--aws"),
    ("show", "last", "--aws"),
    ("logs", "last", "--aws"),
    ("predict", "penguins", "--row", "{}", "--aws"),
    ("release", "penguins", "--aws"),
    ("emit", "merge", "penguins", "--aws"),
    ("status", "--aws"),
    ("dashboard", "penguins", "--aws"),
    ("destroy", "penguins", "--aws"),
    ("destroy", "--all", "--aws"),
    ("deploy", "--yes"),
    ("diff",),
]


@pytest.mark.parametrize("arguments", AWS_COMMANDS, ids=" ".join)
def test_aws_without_credentials_is_one_clear_sentence_and_touches_nothing(
    say: Say, project: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_DEFAULT_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(project / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(project / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    assert say(*arguments) == (
        1,
        "",
        (
            "error: AWS credentials are needed, and none were found.\n"
            "Run `aws configure` or `aws sso login`, or set AWS_PROFILE.\n"
        ),
    )
    assert not (project / ".modelwright").exists()


def test_a_profile_that_is_not_there(say: Say, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_CONFIG_FILE", str(project / "none"))
    monkeypatch.setenv("AWS_PROFILE", "work")
    assert say("runs", "--aws") == (
        1,
        "",
        "error: The config profile (work) could not be found\n`aws configure list-profiles` names those there are.\n",
    )


@pytest.mark.parametrize("command", [("runs",), ("status",), ("show", "last"), ("destroy", "penguins", "--yes")])
def test_a_mistake_in_one_pipeline_does_not_stop_who_looks_at_another(
    project: Path, say: Say, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    (project / "training_code" / "wrong").mkdir()
    (project / "training_code" / "wrong" / "pipeline.yaml").write_text("gate: 5\n", "utf-8")
    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(project / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(project / "none"))
    _, _, err = say(*command, "--aws")
    assert "wrong is left out: 7 problems in its settings, the first: training_code/wrong/" in err
    assert "credentials" in err, "it went on"
    assert "7 problems in the settings" in say("run", "penguins", "--aws")[2], "what starts something wants all right"
