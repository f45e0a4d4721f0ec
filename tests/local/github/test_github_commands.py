"""`modelwright github` and `emit merge` as a user types them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from github_project import ON_GITHUB, REPOSITORY, commit, make_project, replace

from modelwright.client.deploys.synth import ASSEMBLY
from modelwright.local.daemon.attach import shut_down

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

FILE = ".github/workflows/modelwright-dev-penguins.yml"
ROLE = "arn:aws:iam::123456789012:role/ml/github"
Done = subprocess.CompletedProcess[str]


@pytest.fixture
def mine(tmp_path: Path) -> Iterator[Path]:
    """A project of this test's own; what it started ends with it."""
    folder = make_project(tmp_path / "project")
    yield folder
    with suppress(Exception):
        shut_down(folder, force=True)


@pytest.fixture
def modelwright(mine: Path) -> Callable[..., Done]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "MODELWRIGHT_"))}
    nothing = {"AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": os.devnull}
    variables = {**kept, **nothing, "AWS_SHARED_CREDENTIALS_FILE": os.devnull, "PYTHONPATH": str(REPOSITORY)}

    def run(*arguments: str) -> Done:
        command = [sys.executable, "-m", "modelwright", *arguments]
        return subprocess.run(
            command, cwd=mine, env=variables, capture_output=True, text=True, check=False, timeout=120
        )

    return run


def test_emit_merge_goes_as_the_role_that_github_takes(
    modelwright: Callable[..., Done], mine: Path, github_assembly: Path
) -> None:
    (mine / ASSEMBLY).parent.mkdir(exist_ok=True)
    done = modelwright("emit", "merge", "penguins", "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert (result["status"], result["trigger"]["kind"]) == ("Deployed", "merge")


def test_the_file_is_written_for_a_role_that_is_named(modelwright: Callable[..., Done], mine: Path) -> None:
    done = modelwright("github", "penguins", "--role", ROLE)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[0] == FILE
    assert f"role-to-assume: {ROLE}\n" in (mine / FILE).read_text()
    assert modelwright("github", "penguins", "--role", ROLE).returncode == 0  # the same again


def test_a_file_that_was_changed_is_left_alone(modelwright: Callable[..., Done], mine: Path) -> None:
    modelwright("github", "penguins", "--role", ROLE)
    replace(mine / FILE, "ubuntu-24.04", "our-runner")
    done = modelwright("github", "penguins", "--role", ROLE)
    assert done.returncode == 2
    assert done.stderr == f"error: {FILE} is there and different; nothing was changed.\n--force writes it anew.\n"
    assert "our-runner" in (mine / FILE).read_text()
    assert modelwright("github", "penguins", "--role", ROLE, "--force").returncode == 0
    assert "our-runner" not in (mine / FILE).read_text()


def test_without_credentials_nothing_is_written(modelwright: Callable[..., Done], mine: Path) -> None:
    done = modelwright("github", "penguins")
    assert done.returncode == 1
    assert done.stderr.startswith(
        "error: The role's ARN is asked of AWS, and no credentials were found.\nRun `aws conf"
    )
    assert "`--role ARN`" in done.stderr
    assert not (mine / FILE).exists()


def test_a_pipeline_without_merges_from_github_has_no_workflow(modelwright: Callable[..., Done], mine: Path) -> None:
    settings = mine / "training_code" / "penguins" / "pipeline.yaml"
    replace(settings, f"github: {ON_GITHUB}, ", "")
    done = modelwright("github", "penguins", "--role", ROLE)
    assert done.returncode == 2
    assert re.match(r"error: Merges of penguins do not come from GitHub\.\ntriggers\.merge: \{github:", done.stderr)


def test_what_github_logs_in_with_must_be_named(modelwright: Callable[..., Done], mine: Path) -> None:
    replace(mine / "environments" / "dev.yaml", "oidc_provider: create\n", "")
    done = modelwright("github", "penguins", "--role", ROLE)
    assert done.returncode == 2
    assert "triggers.merge.github needs what GitHub logs in with; write into environments/dev.yaml" in done.stderr
    assert "oidc_provider: create, or the ARN of the account's provider" in done.stderr


def test_an_announcement_names_its_commit(modelwright: Callable[..., Done], mine: Path) -> None:
    commit(mine, "another")
    done = modelwright("release", "penguins", "--announce")
    assert done.returncode == 2
    assert done.stderr == "error: --announce needs --commit: a merge is announced by its commit.\n"
