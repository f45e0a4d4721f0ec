"""A job's own `/opt/ml` as a folder under `.modelwright/jobs/<name>/`."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

from modelwright.contract.layout import BASE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

MOST_KEPT = 10
"""trees of failed jobs that are kept for a look; older ones go"""


class JobTree:
    """The folder of one job: `ml` is its `/opt/ml`, `home` and `tmp` are its own too."""

    def __init__(self, jobs: Path, name: str) -> None:
        self.folder = jobs / name
        self.root = self.folder / "ml"
        self.home = self.folder / "home"
        self.temporary = self.folder / "tmp"

    def make(self, directories: Iterable[str], files: Mapping[str, Any]) -> None:
        """Make the tree anew: directories and JSON files by the paths that the container sees."""
        if self.folder.exists():  # of an earlier job of this name
            self.remove()
        for folder in (self.root, self.home, self.temporary):
            folder.mkdir(parents=True)
        for directory in directories:
            self.path(directory).mkdir(parents=True, exist_ok=True)
        for path, content in files.items():
            self.path(path).write_text(json.dumps(content), encoding="utf-8")

    def path(self, inside: str) -> Path:
        """Return where a path of the container (`/opt/ml/…`) lies; ValueError for one that is outside."""
        if inside != BASE and not inside.startswith(f"{BASE}/"):
            raise ValueError(f"{inside} is not in {BASE}")
        found = self.root / inside[len(BASE) :].strip("/")
        if ".." in found.relative_to(self.root).parts:
            raise ValueError(f"{inside} leaves {BASE}")
        return found

    def remove(self) -> None:
        """Remove it, whatever the job left there."""
        _remove(self.folder)


def keep_newest(jobs: Path, running: set[str]) -> None:
    """Remove all but the newest trees of jobs that ended; those of `running` are not counted and stay."""
    if not jobs.is_dir():
        return
    ended = [folder for folder in jobs.iterdir() if folder.name not in running]
    for folder in sorted(ended, key=_age)[:-MOST_KEPT]:
        _remove(folder)


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, onerror=_make_writable)


def _make_writable(function: Any, path: str, _: Any) -> None:
    """A job may take the write permission from its own folders; what is gone already is fine."""
    from pathlib import Path  # noqa: PLC0415 - at run time here alone

    try:
        Path(path).parent.chmod(0o700)
        function(path)
    except OSError:
        pass


def _age(folder: Path) -> float:
    try:
        return folder.stat().st_mtime
    except OSError:
        return 0.0
