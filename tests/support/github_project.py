"""The real project in a git repository of its own, its penguins merged from GitHub; and what a runner has of it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
LINKED = ("app.py", "cdk.json", "stacks", "lambdas")
ON_GITHUB, SUBJECT = "octo-org@1/octo-repo@2", "repo:octo-org@1/octo-repo@2:ref:refs/heads/main"
_IDENTITY = ("-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false")
_MAKEFILE = "setup:\n\tmkdir -p .venv/bin\n\tln -sf {tool} .venv/bin/modelwright\n"
_IGNORED = "__pycache__/\n.venv/\n.modelwright/\ncdk.out/\n"


def git(folder: Path, *arguments: str) -> str:
    """Run git; what it printed."""
    return subprocess.run(
        ["git", *_IDENTITY, *arguments], cwd=folder, check=True, capture_output=True, text=True
    ).stdout.strip()


def make_project(folder: Path) -> Path:
    """Make the project, committed on `main`. Its `make setup` puts the command there that these tests run with."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in LINKED:
        (folder / name).symlink_to(REPOSITORY / name)
    for name in ("training_code", "environments"):
        shutil.copytree(REPOSITORY / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    replace(folder / "environments" / "dev.yaml", "removal: retain", "oidc_provider: create\nremoval: retain")
    merge = f"merge: {{github: {ON_GITHUB}, branch: main}}"
    replace(folder / "training_code" / "penguins" / "pipeline.yaml", "merge: {branch: main}", merge)
    (folder / "Makefile").write_text(_MAKEFILE.format(tool=Path(sys.executable).with_name("modelwright")))
    (folder / ".gitignore").write_text(_IGNORED)
    git(folder, "init", "--quiet", "--initial-branch", "main")
    commit(folder, "the project")
    return folder


def replace(path: Path, old: str, new: str) -> None:
    """Change a text in a file, which must be there."""
    text = path.read_text()
    assert old in text, f"{path} has no {old!r}"
    path.write_text(text.replace(old, new, 1))


def commit(folder: Path, message: str) -> str:
    """Commit everything; the commit's id."""
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", message)
    return git(folder, "rev-parse", "HEAD")


def check_out(project: Path, folder: Path) -> Path:
    """What actions/checkout leaves on a runner: the one commit, without its history."""
    git(project, "clone", "--quiet", "--depth", "1", f"file://{project}", str(folder))
    return folder
