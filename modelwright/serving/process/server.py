"""The process: binds its port, loads the model, serves, drains on SIGTERM.

The order matters. The port is bound first, so that one in use is found before a minute of loading; it listens only
when the model is loaded, so that no `/ping` gets through before; the model is loaded by the main thread before any
other thread exists, so that later workers can be forked and share its memory.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import resource
import socket
import sys
import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from modelwright.serving.archive import unpack
from modelwright.serving.compiled.model import NO_TELEMETRY, is_compiled, load_compiled
from modelwright.serving.files import verify_files
from modelwright.serving.log import tell
from modelwright.serving.problems import StartupError
from modelwright.serving.process.counters import Counters
from modelwright.serving.process.supervisor import Supervisor
from modelwright.serving.scripts.model import load_model
from modelwright.serving.scripts.requirements import install_requirements
from modelwright.serving.scripts.script import load_script
from modelwright.serving.settings import cores

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, MutableMapping
    from pathlib import Path

    from modelwright.serving.model import Model
    from modelwright.serving.process.worker import Share
    from modelwright.serving.scripts.script import Script
    from modelwright.serving.settings import Settings

MOST_FILES = 65_536
THREAD_VARIABLES = (
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OMP_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "LOKY_MAX_CPU_COUNT",  # joblib's: what a pickled forest's `n_jobs=-1` means: https://github.com/joblib/loky/pull/163
)


class Parent:
    """Tells whoever started the process, once, that it serves or why it does not: one JSON line into a pipe."""

    def __init__(self, descriptor: int | None) -> None:
        """Write to this open descriptor, which no process that a script starts gets; say nothing without one."""
        self._descriptor = descriptor
        if descriptor is not None:
            os.set_inheritable(descriptor, False)

    def ready(self, port: int) -> None:
        """The server answers on `port`."""
        self._tell({"ready": True, "port": port})

    def failed(self, reason: str) -> None:
        """The server will not answer."""
        self._tell({"ready": False, "reason": reason})

    def forget(self) -> None:
        """Say nothing: another process does."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _tell(self, message: Mapping[str, Any]) -> None:
        if self._descriptor is not None:
            os.write(self._descriptor, f"{json.dumps(message)}\n".encode())
            os.close(self._descriptor)
            self._descriptor = None


@dataclass(frozen=True)
class Place:
    """Where the model is and where it is served."""

    model_dir: Path
    code: Path
    archive: Path | None
    """unpacked into `model_dir` first"""
    host: str
    port: int
    packages: Path | None = None
    """where `code/requirements.txt` is installed; None: beside the code"""


def run(settings: Settings, place: Place, parent: Parent) -> int:
    """Serve until SIGTERM; return the exit code, 1 with the reason on standard error when it cannot serve."""
    _write_lines()
    allow_files()
    try:
        listener = _bind(place.host, place.port)
        hold_threads(os.environ, settings)
        os.environ[NO_TELEMETRY] = "1"  # also for a script that imports ONNX Runtime itself
        model = _load(settings, place)
        workers = _workers(settings)
        if workers > 1:
            return _supervise(workers, model, settings, listener, parent)
        model.warm_up()
        return _serve(model, settings, listener, lambda: parent.ready(listener.getsockname()[1]))
    except StartupError as error:
        refuse(error, parent)
        return 1


def refuse(error: StartupError, parent: Parent) -> None:
    """Say on standard error, and to the parent, why there is nothing to serve."""
    with contextlib.suppress(OSError, ValueError):  # nobody reads it
        print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)  # noqa: T201  # the log of a process
    parent.failed(str(error))


def _write_lines() -> None:
    """Let what scripts print come out line by line: the log of requests does not go through the same buffer."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)


def allow_files() -> None:
    """Let the process have as many connections as it may: the usual 1,024 are for programs that use `select`.

    https://man7.org/linux/man-pages/man2/getrlimit.2.html
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(OSError, ValueError):  # macOS has a limit of the system's besides
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _bind(host: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        reason = f"The port {port} of {host} cannot be used: {error.strerror or error}."
        raise StartupError(f"{reason} End what listens there, or set SAGEMAKER_BIND_TO_PORT to another.") from None
    return listener


def _load(settings: Settings, place: Place) -> Model:
    if place.archive is not None:
        unpack(place.archive, place.model_dir, settings.expected_sha256)
    if not place.model_dir.is_dir():
        raise StartupError(f"There is no model folder {place.model_dir}.")
    if settings.serve == "onnx" or (settings.serve == "auto" and is_compiled(place.model_dir)):
        return load_compiled(place.model_dir, settings.default_accept)  # runs no code of the model's, compared or not
    _check_files(settings, place)
    install_requirements(place.code, place.packages)
    script = load_script(place.code, settings.program)
    if settings.serve == "framework":
        script = _as_framework(script)
    return load_model(script, place.model_dir, settings.default_accept)


def _as_framework(script: Script) -> Script:
    """The script without what AWS's image does not read: our constants, our hook.

    https://github.com/aws/sagemaker-scikit-learn-container/blob/master/src/sagemaker_sklearn_container/serving.py
    """
    ours = {"warm_up_fn": None, "content_types": None, "accept_types": None, "execution_parameters": None}
    return replace(script, batch=False, **ours)  # type: ignore[arg-type]  # each of these may be None


def _check_files(settings: Settings, place: Place) -> None:
    """Refuse a script and a pickle that are not those of the hashes, before any of it runs."""
    if settings.expected_files is not None:
        verify_files(place.model_dir, settings.expected_files)
    elif settings.expected_sha256 is not None and place.archive is None:  # unpacked by who started us: SageMaker
        reason = "MODELWRIGHT_MODEL_SHA256 is set, but there is no --archive whose hash could be compared"
        raise StartupError(f"{reason}, and no MODELWRIGHT_FILES_SHA256 of what was unpacked.")


def hold_threads(environment: MutableMapping[str, str], settings: Settings) -> None:
    """Keep native libraries from starting threads where there are several workers.

    A fork would lose them, and each worker has a core. A variable that is set is left as it is.
    """
    if (settings.workers or cores()) > 1:
        for name in THREAD_VARIABLES:
            environment.setdefault(name, "1")


def _workers(settings: Settings) -> int:
    """Return how many processes serve: one, where threads live already that would not live in a fork."""
    wanted = settings.workers or cores()
    threads = threads_beside()
    if wanted == 1 or not threads:
        return wanted
    why = f"loading the model has left {threads} threads running, which would be missing in each of several workers"
    if settings.workers is not None:
        raise StartupError(f"MODELWRIGHT_WORKERS is {wanted}, but {why}. Set it to 1.")
    tell({"event": "one worker", "because": why})
    return 1


def threads_beside() -> int:
    """Return how many threads this process has beside the one that asks, Python's and native ones."""
    try:
        return len(os.listdir("/proc/self/task")) - 1  # noqa: PTH208  # names are enough
    except OSError:
        return threading.active_count() - 1


def _supervise(workers: int, model: Model, settings: Settings, listener: socket.socket, parent: Parent) -> int:
    from modelwright.serving.process import serve  # noqa: PLC0415  # before the fork: shared; and see below

    counters = Counters(workers)

    def work(share: Share, listening: Callable[[], None]) -> int:
        parent.forget()
        model.warm_up()
        return _serve(model, settings, listener, listening, share)

    def ready() -> None:
        parent.ready(listener.getsockname()[1])

    return Supervisor(workers, work, listener, counters, ready, serve.DRAIN_SECONDS + 2).run()


def _serve(
    model: Model,
    settings: Settings,
    listener: socket.socket,
    on_listening: Callable[[], None],
    share: Share | None = None,
) -> int:
    from modelwright.serving.process.serve import serve  # noqa: PLC0415  # a model that cannot be loaded need not wait for it

    try:
        return serve(model, settings, listener, on_listening, share)
    except OSError as error:
        raise StartupError(f"The port cannot be used: {error.strerror or error}.") from error
