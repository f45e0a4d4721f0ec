"""The CDK command line: one pinned version, kept in `.modelwright/`, run by the Node.js of the virtual environment.

Library and command line have versions of their own: a command line can read the assemblies of every library that is
older than itself (https://docs.aws.amazon.com/cdk/v2/guide/versioning.html). The one here was released four days after
the library of `pyproject.toml`. `npm ci` takes exactly what the lock file names, and checks its SHA-512.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from modelwright.client.deploys.synth import bundled_node
from modelwright.errors import CdkUnavailable, DeployBusy
from modelwright.project import find_root

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_PACKAGE = Path(__file__).parent / "cdk_cli"
_LOCK = "package-lock.json"
_SCRIPT = Path("node_modules", "aws-cdk", "bin", "cdk")
_CI = ("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
_AT_ONCE = 4
"""Stacks that are deployed side by side, as far as they do not need one another; CloudFormation throttles more."""
_DIFFERENCES = re.compile(r"Number of stacks with differences: (\d+)")


@dataclass(frozen=True)
class Request:
    """What of an assembly is deployed or compared."""

    assembly: Path
    stacks: tuple[str, ...]
    """By name, each with all that it needs: nothing else is touched."""
    region: str
    import_existing: bool = False
    """Take resources that have a name of ours and belong to no stack into the stack, instead of failing."""


def cdk_version() -> str:
    """Return the pinned version of the CDK command line."""
    found: str = json.loads((_PACKAGE / "package.json").read_text("utf-8"))["dependencies"]["aws-cdk"]
    return found


def find_cdk(root: Path) -> list[str]:
    """Return the command that is the pinned CDK command line, installed in the project's `.modelwright` when it is not.

    Raises `CdkUnavailable` when npm cannot install it: no network, a registry that does not have it.
    """
    folder = _folder(root)
    if not (folder / _SCRIPT).is_file():
        _install(folder)
    return [str(bundled_node()), str(folder / _SCRIPT)]


def is_installed(root: Path) -> bool:
    """Tell whether a deploy would find the CDK command line in the project's `.modelwright`."""
    return (_folder(root) / _SCRIPT).is_file()


def _folder(root: Path) -> Path:
    lock = (_PACKAGE / _LOCK).read_bytes()
    return root / ".modelwright" / "cdk" / f"{cdk_version()}-{hashlib.sha256(lock).hexdigest()[:12]}"


def deploy(root: Path, request: Request, outputs: Path, *, ask: bool) -> int:
    """Deploy, and return CDK's exit code. What it prints goes where ours goes.

    With `ask`, changes that give more rights are shown and asked for on the terminal, and stacks go one by one: CDK
    refuses to ask about several at once.
    """
    approval = ["--require-approval", "broadening"] if ask else ["--require-approval", "never"]
    concurrency = ["--concurrency", "1" if ask else str(_AT_ONCE)]
    more = ["--outputs-file", str(outputs), "--progress", "events"]
    if request.import_existing:
        more.append("--import-existing-resources")
    command = [*find_cdk(root), "deploy", *_common(request), *approval, *concurrency, *more, *request.stacks]
    return subprocess.run(command, cwd=root, env=_variables(request), check=False).returncode


def diff(root: Path, request: Request) -> int | None:
    """Show what a deploy would change, and return in how many stacks; None when CDK could not find out."""
    command = [*find_cdk(root), "diff", *_common(request), "--method", "auto", *request.stacks]
    process = subprocess.Popen(
        command, cwd=root, env=_variables(request), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    differences = None
    with process:
        for line in process.stdout or ():
            sys.stdout.write(line)
            found = _DIFFERENCES.search(line)
            differences = int(found[1]) if found else differences
    return None if process.returncode else differences


@contextmanager
def one_deploy(root: Path, env: str) -> Iterator[Path]:
    """Hold the lock of this folder's deploys of `env`, and give a folder for what they need; gone with the process.

    Raises:
        DeployBusy: another process holds it.
    """
    import fcntl  # noqa: PLC0415 # no Windows; and only when there is something to do

    folder = root / ".modelwright" / "deploys" / env
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise DeployBusy(
                f"Another deploy of {env} is under way in this folder (process {lock.read().strip() or 'unknown'}).",
                "Wait until it is done, then run the same command again.",
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield folder


def _common(request: Request) -> list[str]:
    """`--app` takes an assembly as well as a command: what is deployed is exactly what was looked at."""
    return ["--app", str(request.assembly), "--exclusively", "--no-notices"]


def _variables(request: Request) -> dict[str, str]:
    """`aws://unknown-account/<region>`: without an account in the settings, CDK asks for that of the credentials."""
    return os.environ | {"CDK_DISABLE_CLI_TELEMETRY": "true", "AWS_REGION": request.region}


def _install(folder: Path) -> None:
    """Install beside the place and move there: a folder that is there is whole."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="npm-", dir=folder.parent) as temporary:
        made = Path(temporary, "new")
        made.mkdir()
        for name in ("package.json", _LOCK):
            shutil.copy(_PACKAGE / name, made)
        _npm(_CI, made)
        try:
            made.rename(folder)
        except OSError:
            if not folder.is_dir():  # else another command was quicker
                raise


def _npm(arguments: Sequence[str], folder: Path) -> None:
    node = bundled_node()
    package = node.parent.parent / "lib" if node.parent.name == "bin" else node.parent
    script = package / "node_modules" / "npm" / "bin" / "npm-cli.js"  # the wheel's own `npm` has lost its links
    found = subprocess.run(
        [str(node), str(script), *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    if found.returncode:
        lines = [line.removeprefix("npm error ") for line in found.stderr.splitlines() if line.startswith("npm error ")]
        why = " ".join(line for line in lines if not line.startswith("A complete log")) or found.stderr.strip()
        raise CdkUnavailable(
            f"npm could not install the CDK command line (aws-cdk {cdk_version()}): {why}",
            "Check the network, and `registry` in ~/.npmrc; it is needed once, then .modelwright/ has it.",
        )


if __name__ == "__main__":  # any other command of CDK's, such as `bootstrap`
    sys.exit(subprocess.run([*find_cdk(find_root()), *sys.argv[1:]], check=False).returncode)
