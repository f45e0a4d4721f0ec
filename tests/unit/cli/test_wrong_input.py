"""Wrong input is 2, said in one message before anything is started."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from command_line import Say


EVERYTHING = [
    ("run", "pengins"),
    ("run", "pengins", "--json"),
    ("run", "pengins", "--aws"),
    ("release", "pengins"),
    ("emit", "merge", "pengins"),
    ("runs", "pengins"),
    ("predict", "pengins", "--row", "{}"),
]


@pytest.mark.parametrize("arguments", EVERYTHING, ids=" ".join)
def test_an_unknown_pipeline_with_the_nearest_and_nothing_started(
    say: Say, project: Path, arguments: tuple[str, ...]
) -> None:
    expected = "error: There is no pipeline 'pengins' in training_code/.\nDid you mean penguins?\n"
    assert say(*arguments) == (2, "", expected)
    assert not (project / ".modelwright").exists()


def test_an_unknown_environment(say: Say, project: Path) -> None:
    assert say("run", "penguins", "--env", "dve") == (
        2,
        "",
        "error: There is no environments/dve.yaml.\nDid you mean dev?\n",
    )
    assert not (project / ".modelwright").exists()


@pytest.mark.parametrize(
    "arguments",
    [("run", "penguins"), ("up",), ("run", "penguins", "--aws"), ("synth",)],
    ids=" ".join,
)
def test_wrong_settings_are_listed_whole_and_nothing_is_started(
    say: Say, project: Path, arguments: tuple[str, ...]
) -> None:
    folder = project / "training_code" / "rents"
    folder.mkdir()
    (folder / "pipeline.yaml").write_text("description: x\ntrian: {}\ngate: [accuracy]\n")
    code, out, err = say(*arguments)
    assert (code, out) == (2, "")
    lines = err.splitlines()
    assert lines[0].endswith(" problems in the settings:")
    assert len(lines) > 3
    assert all(line.startswith("  training_code/rents/") for line in lines[1:])
    assert any("trian" in line and "train" in line for line in lines)
    assert not (project / ".modelwright").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("-p", "C"), "-p 'C' is not of the form name=value, like C=0.5."),
        (("-p", "CC=1"), "-p 'CC=1': CC is no hyperparameter of this pipeline."),
        (("-p", "C=1", "-p", "C=2"), "-p 'C=2': C is given twice."),
        (("--data", "nowhere.csv"), "--data nowhere.csv: there is no such file or folder."),
    ],
)
def test_what_a_run_is_given_is_looked_at_before_anything_starts(
    say: Say, project: Path, arguments: tuple[str, ...], message: str
) -> None:
    code, out, err = say("run", "penguins", *arguments)
    assert (code, out) == (2, "")
    assert err.startswith(f"error: {message}\n")
    assert not (project / ".modelwright").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("predict", "penguins", "--row", "{species"), "--row is not JSON: Expecting property name"),
        (
            ("predict", "penguins", "--file", "rows.txt"),
            "--file rows.txt: its ending says no type.\nKnown are .csv, .json, .npy",
        ),
        (("predict", "penguins", "--file", "rows.csv"), "--file rows.csv cannot be read: No such file or directory."),
        (
            ("emit", "schedule", "penguins", "--commit", "HEAD"),
            "--commit is for `emit merge`: a schedule runs the default",
        ),
        (
            ("emit", "schedule", "penguins", "--aws"),
            "On AWS a schedule fires by itself.\n`modelwright run penguins --aws`",
        ),
        (("emit", "merge", "penguins", "x.csv"), "Files are for `emit data`: what is x.csv for?"),
        (("emit", "data", "penguins", "--commit", "HEAD"), "--commit is for `emit merge`: new data run the default"),
        (("emit", "data", "penguins", "no.csv"), "There is no data at no.csv."),
        (("destroy", "penguins", "--data"), "--data removes what cannot be brought back.\nGive --yes"),
    ],
)
def test_wrong_arguments_are_said_before_anything_starts(
    say: Say, project: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], message: str
) -> None:
    monkeypatch.setattr(sys, "stdin", (project / "cdk.json").open())
    code, out, err = say(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith(f"error: {message}")
    assert not (project / ".modelwright").exists()
