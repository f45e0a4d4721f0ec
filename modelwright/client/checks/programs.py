"""The validators that have an environment of their own: their hundred packages want other versions than ours."""

from __future__ import annotations

import fcntl
import hashlib
import subprocess
import sys
from pathlib import Path

from modelwright.errors import ChecksUnavailable

REQUIREMENTS = "requirements-checks.txt"
ENVIRONMENT = ".venv-checks"


def ensure_environment(root: Path) -> Path:
    """Return the Python of the checks' environment, made from the locked requirements when it is not theirs.

    Safe when several call it at once: one makes it, the others wait and take it.
    """
    requirements, folder = root / REQUIREMENTS, root / ENVIRONMENT
    if not requirements.is_file():
        raise ChecksUnavailable(f"There is no {REQUIREMENTS}, from which checkov and parliament would be installed.")
    with Path(f"{folder.resolve()}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return _ensure(requirements, folder)


def _ensure(requirements: Path, folder: Path) -> Path:
    wanted = hashlib.sha256(requirements.read_bytes()).hexdigest()
    stamp, python = folder / ".complete", folder / "bin" / "python"
    if stamp.is_file() and stamp.read_text("utf-8") == wanted and python.is_file():
        return python
    stamp.unlink(missing_ok=True)
    make, install = _commands(folder, python)
    _call(make)
    _call([*install, "--require-hashes", "--requirement", str(requirements)])
    stamp.write_text(wanted, "utf-8")
    return python


def _commands(folder: Path, python: Path) -> tuple[list[str], list[str]]:
    """How an environment is made and filled: by uv when it is there, which is ten times as fast."""
    uv = Path(sys.executable).parent / "uv"
    if uv.is_file():
        make = [str(uv), "venv", "--quiet", "--clear", "--python", sys.executable, str(folder)]
        return make, [str(uv), "pip", "install", "--quiet", "--compile-bytecode", "--python", str(python)]
    make = [sys.executable, "-m", "venv", "--clear", str(folder)]
    return make, [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]


def _call(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr or done.stdout).strip()[-500:]
        raise ChecksUnavailable(f"checkov and parliament could not be installed into {ENVIRONMENT}: {last}")
