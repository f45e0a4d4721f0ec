"""`code/requirements.txt` of a model: installed before the script is imported, as AWS's containers do."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from modelwright.serving.problems import StartupError

if TYPE_CHECKING:
    from pathlib import Path

INSTALL_SECONDS = 600


def install_requirements(code: Path, packages: Path | None = None) -> None:
    """Install `code/requirements.txt`, if there is one, into `packages` (else `code/.packages`): first on sys.path.

    The environment that runs the server stays as it is. StartupError with pip's own last line when it fails.
    """
    requirements = code / "requirements.txt"
    if not requirements.is_file() or not _wanted(requirements.read_text(encoding="utf-8", errors="replace")):
        return
    target = packages or code / ".packages"
    command = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--quiet"]
    command += ["--target", str(target), "--requirement", str(requirements)]
    try:
        done = subprocess.run(command, cwd=code, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise StartupError(f"code/requirements.txt was not installed after {INSTALL_SECONDS} s.") from None
    sys.stderr.write(done.stderr)
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        raise StartupError(f"code/requirements.txt cannot be installed: {lines[-1] if lines else 'pip says nothing'}")
    sys.path.insert(0, str(target))


def _wanted(text: str) -> bool:
    return any(line.strip() and not line.lstrip().startswith("#") for line in text.splitlines())
