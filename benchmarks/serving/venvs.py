"""A venv for each peer, made on demand from its pinned requirements and kept beside `.venv`."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks.project import ROOT

_COPIES = ("--link-mode", "copy")  # linked files would be shared between servers, and divide their memory
REQUIREMENTS = Path(__file__).parent / "requirements"


class PeerUnavailable(RuntimeError):  # noqa: N818  # a fact, and it is in the table
    """A peer cannot be installed or started here; the text says why."""


def python_of(requirements: str | None, cache: Path = ROOT) -> Path:
    """Return the interpreter that has them; PeerUnavailable says what the installer said."""
    if requirements is None:
        return Path(sys.executable)
    venv, pinned = cache / f".venv-bench-{requirements}", REQUIREMENTS / f"{requirements}.txt"
    wanted, complete = hashlib.sha256(pinned.read_bytes()).hexdigest(), venv / ".complete"
    lock = os.open(cache, os.O_RDONLY)  # two benchmarks may want it at once
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not complete.is_file() or complete.read_text() != wanted:
            shutil.rmtree(venv, ignore_errors=True)
            _install(venv, pinned)
            complete.write_text(wanted)
    finally:
        os.close(lock)
    return venv / "bin" / "python"


def _install(venv: Path, pinned: Path) -> None:
    uv = Path(sys.executable).parent / "uv"
    for command in (
        [uv, "venv", "--quiet", "--python", sys.executable, venv],
        [
            uv,
            "pip",
            "install",
            "--quiet",
            "--compile-bytecode",
            "--python",
            venv / "bin/python",
            "-r",
            pinned,
            *_COPIES,
        ],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            said = " ".join(done.stderr.split())[-300:]
            raise PeerUnavailable(f"cannot be installed from {pinned.name}: {said}")
