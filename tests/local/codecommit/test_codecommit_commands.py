"""`modelwright emit merge` as a user types it, where merges come from CodeCommit."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from codecommit_project import make_project, replace
from codecommit_repository import PROJECT, commit, git

from modelwright.client.deploys.synth import ASSEMBLY
from modelwright.local.daemon.attach import shut_down

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Say = Callable[..., tuple[int, str, str]]


@pytest.fixture
def mine(tmp_path: Path, codecommit_assembly: Path) -> Iterator[Path]:
    """A project of this test's own; what it started ends with it."""
    folder = make_project(tmp_path / "project")
    (folder / ASSEMBLY).symlink_to(codecommit_assembly)
    yield folder
    with suppress(Exception):
        shut_down(folder, force=True)


@pytest.fixture
def say(mine: Path) -> Say:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "MODELWRIGHT_"))}
    nothing = {"AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": os.devnull}
    variables = {**kept, **nothing, "AWS_SHARED_CREDENTIALS_FILE": os.devnull, "PYTHONPATH": str(PROJECT)}

    def run(*arguments: str) -> tuple[int, str, str]:
        command = [sys.executable, "-m", "modelwright", *arguments]
        done = subprocess.run(
            command, cwd=mine, env=variables, capture_output=True, text=True, check=False, timeout=120
        )
        return done.returncode, done.stdout, done.stderr

    return run


def test_a_merge_runs_the_code_of_its_commit_and_not_the_working_trees(say: Say, mine: Path) -> None:
    folder = mine / "training_code" / "penguins"
    replace(
        folder / "train.py", "def main(", "def main(*_):\n    raise SystemExit('the working tree')\n\n\ndef unused("
    )
    code, out, err = say("emit", "merge", "penguins", "--json")
    assert code == 0, err
    assert "has changes that are not committed" in err
    result = json.loads(out)
    at = git(mine, "rev-parse", "HEAD")
    assert (result["status"], result["trigger"]["kind"], result["trigger"]["commit"]) == ("Deployed", "merge", at)
    code, out, err = say("release", "penguins", "--commit", "HEAD")
    assert result["release"] == out.strip()


def test_an_earlier_commit_is_merged_by_its_id(say: Say, mine: Path) -> None:
    first = git(mine, "rev-parse", "HEAD")
    (mine / "training_code" / "penguins" / "train.py").write_text("raise SystemExit('a later commit')\n")
    commit(mine, "later")
    code, out, err = say("emit", "merge", "penguins", "--commit", first[:10], "--json")
    assert code == 0, err
    assert json.loads(out)["trigger"]["commit"] == first


def test_a_commit_that_cannot_be_released_is_said_at_once_and_lies_in_the_inbox(say: Say, mine: Path) -> None:
    settings = mine / "training_code" / "penguins" / "pipeline.yaml"
    replace(settings, "accuracy >= 0.80", "accuracy => 0.80")
    at = commit(mine, "wrong")
    replace(settings, "accuracy => 0.80", "accuracy >= 0.80")
    code, out, err = say("up")
    assert code == 0, err
    code, out, err = say("emit", "merge", "penguins")
    assert (code, out) == (1, "")
    note, _, said = err.partition("\n")
    assert (
        note
        == f"note: training_code/penguins has changes that are not committed; the merge is of {at[:7]}, without them"
    )
    assert said.startswith(f"error: The merge of commit {at} into main of models started no run of penguins.\n")
    assert f"{at[:12]}:training_code/penguins/pipeline.yaml:" in err
    code, out, err = say("inbox")
    assert f"penguins: commit {at[:12]} was not taken" in out


def test_on_aws_a_push_does_it(say: Say, mine: Path) -> None:
    code, out, err = say("emit", "merge", "penguins", "--aws")
    assert (code, out) == (2, "")
    assert err == (
        "error: On AWS a push to main of models in CodeCommit is the merge: git push.\n"
        "`modelwright run penguins --aws` starts an execution now.\n"
    )
    assert not (mine / ".modelwright").exists()


def test_a_commit_that_is_not_there_is_said(say: Say) -> None:
    code, out, err = say("emit", "merge", "penguins", "--commit", "nowhere")
    assert (code, out) == (2, "")
    assert err.startswith("error: There is no commit 'nowhere' in this repository.")
