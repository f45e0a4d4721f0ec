"""`code/requirements.txt` of a model: installed before the script is imported, as AWS's containers do.

What is there and meets a requirement stays: the libraries that made the model are those that read its pickle. So it is
no `pip install --target`, which takes the newest of all that is needed: https://github.com/pypa/pip/issues/2373
"""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import venv
from pathlib import Path
from typing import Final

from modelwright.serving.problems import StartupError

INSTALL_SECONDS = 420
"""A container that does not answer its ping within 8 minutes is ended without a reason; a serverless one has 3.

https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html
https://docs.aws.amazon.com/sagemaker/latest/dg/serverless-endpoints-invoke.html"""
_LIBRARIES: Final = ("site-packages", "dist-packages")


def install_requirements(code: Path, packages: Path | None = None) -> None:
    """Install `code/requirements.txt`, if there is one, into `packages` (else `code/.packages`): first on sys.path.

    The environment that runs the server stays as it is. StartupError with pip's own last line when it fails.
    """
    requirements = code / "requirements.txt"
    if not requirements.is_file() or not _wanted(requirements.read_text(encoding="utf-8", errors="replace")):
        return
    python, libraries = _environment(packages or code / ".packages")
    command = [python, "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--quiet"]
    command += ["--requirement", str(requirements)]
    try:
        done = subprocess.run(command, cwd=code, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise StartupError(f"code/requirements.txt was not installed after {INSTALL_SECONDS} s.") from None
    sys.stderr.write(done.stderr)
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        raise StartupError(f"code/requirements.txt cannot be installed: {lines[-1] if lines else 'pip says nothing'}")
    sys.path[:0] = libraries


def _environment(folder: Path) -> tuple[str, list[str]]:
    """Make an environment over the one that runs the server; return its Python, and where its libraries lie.

    pip leaves what lies outside an environment alone, also where it puts another version before it.
    """
    try:
        venv.create(folder, symlinks=True)
    except OSError as error:
        raise StartupError(f"code/requirements.txt cannot be installed in {folder}: {error}.") from error
    places = {"base": str(folder), "platbase": str(folder)}
    libraries = list(dict.fromkeys(sysconfig.get_path(name, "venv", places) for name in ("purelib", "platlib")))
    beneath = [path for path in sys.path if Path(path).name in _LIBRARIES and path not in libraries]
    (Path(libraries[0]) / "beneath.pth").write_text("".join(f"{path}\n" for path in beneath), encoding="utf-8")
    return str(folder / "bin" / "python"), libraries


def _wanted(text: str) -> bool:
    return any(line.strip() and not line.lstrip().startswith("#") for line in text.splitlines())
