"""A copy of this project in a folder of its own, and the command line in it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
_PARTS = ("app.py", "cdk.json", "environments", "images", "lambdas", "modelwright", "stacks", "training_code")
_SCRATCH = shutil.ignore_patterns("__pycache__", ".modelwright", "cdk.out")


def copy_project(target: Path) -> Path:
    """Copy what a pipeline is made of."""
    target.mkdir(parents=True)
    for name in _PARTS:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, target / name, ignore=_SCRATCH)
        else:
            shutil.copy2(source, target / name)
    subprocess.run([sys.executable, "-m", "compileall", "-q", "."], cwd=target, check=True)
    return target


def modelwright(project: Path, *arguments: str) -> str:
    """Run the command line in the project; what it printed on standard output."""
    command = [sys.executable, "-m", "modelwright", *arguments]
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(
        command,
        cwd=project,
        check=False,
        capture_output=True,
        text=True,
        env={**environment, "PYTHONPATH": str(project)},
    )
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(arguments)} exited {done.returncode}:\n{done.stdout}\n{done.stderr}")
    return done.stdout


def run_penguins(project: Path) -> dict[str, Any]:
    """One run, its result; anything but `Deployed` is an error: a benchmark of a failure measures nothing."""
    result: dict[str, Any] = json.loads(modelwright(project, "run", "penguins", "--json"))
    if result["status"] != "Deployed":
        raise RuntimeError(f"the run ended as {result['status']}")
    return result
