"""What a zygote imports before it forks, found in the scripts that will be run."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import os
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

SERVERS = ("modelwright.serving.process.server", "modelwright.serving.process.serve", "httptools", "uvloop")
"""what a model server imports"""
COMPILERS = ("msgspec", "onnx", "modelwright.serving.compiled.compile_job", "skl2onnx")
"""what the job imports that compiles a model, from a run's first process on: 26 MiB that the template's making, which
comes before, needs. sklearn-onnx, which makes a class of each operator, takes longest.
Not onnxruntime: its import starts a thread, and a process with two cannot be forked."""
ALWAYS = (
    "argparse", "csv", "datetime", "gzip", "io", "json", "logging", "math", "pathlib", "pickle", "shutil", "subprocess",
    "tarfile", "tempfile", "zipfile",
)  # fmt: skip
"""parts of the standard library that most scripts import"""
FUNCTIONS = ("boto3", "botocore.session", "botocore.httpsession", "json", "logging", "hashlib", "tarfile", "decimal",
             "boto3.dynamodb.types", "boto3.dynamodb.conditions",
             "runpy", "socket", "resource", "encodings.idna", "modelwright.local.functions.context")  # fmt: skip
CALLED_FIRST = ("s3", "dynamodb")
"""AWS services that the first function of a run calls"""
CALLED = ("sagemaker", "cloudwatch", "sagemaker-runtime", "sns")
"""AWS services that its other functions call, those first that are called first"""
_THREAD_VARIABLES = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "BLIS_NUM_THREADS")

_SHORTEST_SPIN = "4"
"""log2 of the turns for which a thread of OpenBLAS spins before it sleeps. With its default of 26, what waits for the
next small matrix takes the cores from a run's other processes: a fit of 60 ms takes 200.
https://github.com/OpenMathLib/OpenBLAS/blob/develop/driver/others/blas_server.c"""


def third_party_imports(folders: Iterable[Path]) -> list[str]:
    """Return the modules that the scripts in these folders import at top level, by name.

    The standard library, the folder's own modules and what is not installed are left out; a file that cannot be
    parsed is too (it will say so itself when it is run).
    """
    found: set[str] = set()
    for folder in folders:
        scripts = sorted(folder.glob("*.py"))
        own = {script.stem for script in scripts}
        for script in scripts:
            found.update(name for name in _imports(script) if name.split(".")[0] not in own)
    return sorted(name for name in found if name.split(".")[0] not in sys.stdlib_module_names)


def needs_libraries(script: Path) -> bool:
    """Tell whether a script, or a module beside it that it imports, imports anything but the standard library."""
    seen: set[Path] = set()
    waiting = [script]
    while waiting:
        file = waiting.pop()
        if file in seen:
            continue
        seen.add(file)
        for name in _imports(file, everywhere=True):
            root = name.split(".")[0]
            beside = [file.parent / f"{root}.py", file.parent / root / "__init__.py"]
            own = next((path for path in beside if path.is_file()), None)
            if own is not None:
                waiting.append(own)
            elif root not in sys.stdlib_module_names:
                return True
    return False


def hold_threads() -> None:
    """Keep native libraries that are loaded from now on from starting threads: a fork would lose them."""
    for name in _THREAD_VARIABLES:
        os.environ[name] = "1"
    os.environ["OPENBLAS_THREAD_TIMEOUT"] = _SHORTEST_SPIN


def load(names: Iterable[str]) -> dict[str, str]:
    """Import what can be imported; returns those that could not be, with the reason."""
    failed: dict[str, str] = {}
    for name in names:
        try:
            importlib.import_module(name)
        except Exception as error:  # noqa: BLE001 - any library's own trouble; the script will meet it itself
            failed[name] = f"{type(error).__name__}: {error}"
    if "numpy.random" in sys.modules:
        sys.modules["numpy.random"].seed()  # each fork does it again: what it needs is imported now
    _find_thread_pools()
    return failed


def rehearse() -> None:
    """Let libraries import now what they import at their first use: scikit-learn looks for every kind of data frame."""
    if {"sklearn", "pandas"} <= sys.modules.keys():
        frame = sys.modules["pandas"].DataFrame({"a": [0.0, 1.0]})
        importlib.import_module("sklearn.utils.validation").check_array(frame)


def warm_boto3(service: str) -> None:
    """Give boto3's default session a service's models, so that a fork's first client of it is made quickly.

    No credentials, region or file of anybody's is read or kept: each fork finds its own.
    """
    import boto3  # noqa: PLC0415 - only the zygote for functions does this

    os.environ["AWS_CONFIG_FILE"] = os.environ["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull
    boto3.client(
        service,
        region_name="us-east-1",
        endpoint_url="http://127.0.0.1:1",
        aws_access_key_id="none",
        aws_secret_access_key="none",  # noqa: S106 - nobody's
    )


def release_threads(env: Mapping[str, str]) -> None:
    """Give the thread pools as many threads as the environment or else the machine's cores say. For a fork."""
    asked = env.get("OPENBLAS_NUM_THREADS") or env.get("OMP_NUM_THREADS") or ""
    count = int(asked) if asked.isdigit() else os.cpu_count() or 1
    if _Pools.controller is not None and count > 1:
        _Pools.controller.limit(limits=count, user_api="blas")


class _Pools:
    controller: Any = None


def _find_thread_pools() -> None:
    if "numpy" in sys.modules and importlib.util.find_spec("threadpoolctl"):
        _Pools.controller = importlib.import_module("threadpoolctl").ThreadpoolController()


def _imports(script: Path, *, everywhere: bool = False) -> Iterator[str]:
    try:
        tree = ast.parse(script.read_bytes())
    except (SyntaxError, ValueError, OSError):
        return
    for node in ast.walk(tree) if everywhere else tree.body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
