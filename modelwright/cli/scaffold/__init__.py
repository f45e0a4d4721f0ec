"""What `modelwright init` makes: a pipeline's folder that runs as it is."""

from __future__ import annotations

import shutil
from pathlib import Path

from modelwright.config.read_pipeline import name_problem
from modelwright.errors import InvalidName, NameTaken
from modelwright.project import TRAINING_CODE

TEMPLATE = Path(__file__).parent / "template"
_PLACEHOLDER = "PIPELINE_NAME"


def scaffold(root: Path, name: str) -> list[Path]:
    """Make `training_code/<name>/` in the project `root` and return the files that were written, sorted.

    Raises `InvalidName` for a name that no pipeline can have, and `NameTaken` when the folder is there: nothing that
    exists is changed. When a file cannot be written, none is left.
    """
    problem = name_problem(name)
    if problem:
        raise InvalidName(f"The name {problem}")
    target = root / TRAINING_CODE / name
    if target.exists():
        raise NameTaken(f"{TRAINING_CODE}/{name} is there already; nothing was changed.", "Choose another name.")
    try:
        return [_copy(source, target / source.relative_to(TEMPLATE), name) for source in _template_files()]
    except OSError:
        shutil.rmtree(target, ignore_errors=True)
        raise


def _template_files() -> list[Path]:
    return sorted(path for path in TEMPLATE.rglob("*") if path.is_file() and "__pycache__" not in path.parts)


def _copy(source: Path, target: Path, name: str) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    text = source.read_text("utf-8")
    target.write_text(text.replace(_PLACEHOLDER, name), "utf-8", newline="\n")
    return target
