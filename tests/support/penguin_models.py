"""The sample's model, trained by its own scripts: the folder that a server takes, with the script and compiled."""

from __future__ import annotations

import hashlib
import runpy
import shutil
import tarfile
from dataclasses import dataclass
from pathlib import Path

from modelwright.serving.compiled.convert import Source, convert

SAMPLE = Path(__file__).resolve().parents[2] / "training_code" / "penguins"


@dataclass(frozen=True)
class PenguinModels:
    """Two folders."""

    python: Path
    compiled: Path


def make(folder: Path) -> PenguinModels:
    """Train and convert in a folder of its own."""
    models = PenguinModels(folder / "python", folder / "compiled")
    split = ["--train", str(folder / "train"), "--test", str(folder / "test")]
    _script("process.py", "--input", str(SAMPLE / "data" / "penguins.csv"), *split)
    _script("train.py", "--train", str(folder / "train"), "--model-dir", str(models.python))
    (models.python / "code").mkdir()
    shutil.copy2(SAMPLE / "inference.py", models.python / "code")
    archive = folder / "model.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        for path in sorted(models.python.iterdir()):
            tar.add(path, path.name)
    models.compiled.mkdir()
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    convert(Source(archive, digest, folder / "train", folder / "test"), models.compiled)
    return models


def _script(name: str, *arguments: str) -> None:
    """Run a script here: a process of its own would import scikit-learn once more."""
    runpy.run_path(str(SAMPLE / name))["main"](list(arguments))
