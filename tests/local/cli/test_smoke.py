"""`make aws-smoke` whole on the local cloud, where a run deploys by itself; and what it refuses to begin with."""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from modelwright.cli import smoke
from modelwright.config import load_project
from modelwright.local.daemon.attach import shut_down

from .conftest import REPOSITORY, command_line, variables

if TYPE_CHECKING:
    from pathlib import Path

SANDBOX = 'region: eu-central-1\naccount: "111122223333"\nremoval: destroy\n'
Run = Callable[[Sequence[str]], "subprocess.CompletedProcess[str]"]


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Path]:
    for name in ("app.py", "cdk.json", "stacks", "lambdas"):
        (tmp_path / name).symlink_to(REPOSITORY / name)
    (tmp_path / "environments").mkdir()
    (tmp_path / "environments/box.yaml").write_text(SANDBOX)
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(REPOSITORY / "training_code/penguins", tmp_path / "training_code/penguins", ignore=ignored)
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"]
    for arguments in (["init", "-q", "-b", "main"], ["add", "training_code"], ["commit", "-q", "-m", "x"]):
        subprocess.run(["git", *identity, *arguments], cwd=tmp_path, check=True)
    yield tmp_path
    with suppress(Exception):
        shut_down(tmp_path, force=True)


@pytest.fixture
def run(project: Path) -> Run:
    def command(arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command_line(*arguments),
            cwd=project,
            env=variables(),
            capture_output=True,
            text=True,
            check=False,
            timeout=180,
        )

    return command


def test_the_whole_of_it(project: Path, run: Run) -> None:
    where = ("--env", "box")
    found = smoke.steps(where, deploy=("run", "penguins", *where))
    assert run(("up", *where)).returncode == 0
    outcomes = list(smoke.take(found, smoke.removal(where), run))
    assert [(outcome.step, outcome.problem) for outcome in outcomes] == [
        *((step.name, None) for step in found),
        ("destroy", None),
    ]
    again = run(("destroy", "--all", "--data", "--yes", *where))
    assert again.stdout == "stack mw-box-data: not there\nverified: no stack of box is left\n"


def test_what_was_made_is_taken_away_also_when_a_step_fails() -> None:
    calls: list[str] = []

    def command(arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
        calls.append(arguments[0])
        code = 1 if arguments[0] == "run" else 0
        out = "penguins\nverified: no stack of box is left\n"
        return subprocess.CompletedProcess(list(arguments), code, out, "")

    found = smoke.steps(("--aws", "--env", "box"), deploy=("deploy", "penguins", "--yes", "--env", "box"))
    outcomes = list(smoke.take(found, smoke.removal(("--aws", "--env", "box")), command))
    assert calls == ["deploy", "status", "run", "destroy"]
    assert [outcome.problem for outcome in outcomes][2:] == ["exit 1: verified: no stack of box is left", None]
    assert smoke.report(iter(outcomes)) == 1


@pytest.mark.parametrize(
    ("settings", "account", "words"),
    [
        (SANDBOX, "999999999999", "environments/box.yaml says account 111122223333, and ACCOUNT is 999999999999."),
        (
            "region: eu-central-1\nremoval: destroy\n",
            "1",
            "environments/box.yaml names no account, and ACCOUNT is 1.",
        ),
        (SANDBOX.replace("destroy", "retain"), "111122223333", "environments/box.yaml says `removal: retain`"),
    ],
)
def test_what_is_no_sandbox_is_refused(  # noqa: PLR0917 # a table
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    settings: str,
    account: str,
    words: str,
) -> None:
    (project / "environments/box.yaml").write_text(settings)
    monkeypatch.chdir(project)
    monkeypatch.setattr(smoke, "_modelwright", lambda _: pytest.fail("nothing may be begun"))
    assert smoke.main(["--env", "box", "--account", account, "--yes"]) == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(("env", "account"), [("", ""), ("box", ""), ("", "111122223333")])
def test_what_make_was_not_given_is_said(capsys: pytest.CaptureFixture[str], env: str, account: str) -> None:
    assert smoke.main(["--env", env, "--account", account]) == 2
    assert "make aws-smoke ENV=sandbox ACCOUNT=123456789012" in capsys.readouterr().err


@pytest.mark.parametrize("typed", ["yes\n", ""])
def test_it_is_asked_for_with_the_accounts_number(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], typed: str
) -> None:
    monkeypatch.chdir(project)
    monkeypatch.setattr(smoke, "_modelwright", lambda _: pytest.fail("nothing may be begun"))
    monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
    assert smoke.main(["--env", "box", "--account", "111122223333"]) == 1
    out, err = capsys.readouterr()
    assert "in account 111122223333, eu-central-1" in out
    assert err == "Nothing was made.\n"


def test_the_costs_name_what_the_pipeline_asks_for(project: Path) -> None:
    loaded = load_project(project, "box")
    penguins = loaded.pipelines["penguins"]
    other = replace(penguins, train=replace(penguins.train, instance="ml.p5.48xlarge"))
    assert "ml.p5.48xlarge" in smoke.costs(replace(loaded, pipelines={"penguins": other}))
