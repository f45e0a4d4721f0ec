"""The bare work: the pipeline's three scripts by hand, as three processes."""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
from typing import TYPE_CHECKING, Any

from .project import ROOT

if TYPE_CHECKING:
    from pathlib import Path

_FOLDER = ROOT / "training_code" / "penguins"


def run_scripts(folder: Path) -> dict[str, Any]:
    """Process, train, evaluate; the metrics."""
    places = {name: folder / name for name in ("input", "train", "test", "model", "packed", "evaluation")}
    for place in places.values():
        place.mkdir(parents=True, exist_ok=True)
    (places["input"] / "penguins.csv").write_bytes((_FOLDER / "data" / "penguins.csv").read_bytes())
    settings = ("--test-fraction", "0.25", "--seed", "42")
    _python("process.py", "--input", places["input"], "--train", places["train"], "--test", places["test"], *settings)
    _python("train.py", "--train", places["train"], "--model-dir", places["model"], "--C", "1.0", "--max-iter", "1000")
    with tarfile.open(places["packed"] / "model.tar.gz", "w:gz") as archive:
        for file in sorted(places["model"].iterdir()):
            archive.add(file, file.name)
    _python("evaluate.py", "--model", places["packed"], "--test", places["test"], "--output", places["evaluation"])
    metrics: dict[str, Any] = json.loads((places["evaluation"] / "evaluation.json").read_text())["metrics"]
    return metrics


def _python(script: str, *arguments: object) -> None:
    subprocess.run([sys.executable, str(_FOLDER / script), *map(str, arguments)], check=True, capture_output=True)


def run_nothing(count: int, at_once: int = 1) -> None:
    """`count` bare Python processes, `at_once` of them at a time."""
    left = count
    while left > 0:
        batch = [subprocess.Popen([sys.executable, "-c", "pass"]) for _ in range(min(at_once, left))]
        for process in batch:
            process.wait()
        left -= len(batch)
