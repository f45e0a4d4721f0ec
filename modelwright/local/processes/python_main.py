"""Run a Python program in this process as the interpreter itself would: `python script`, `-m module`, `-c code`.

The process is a fork that has libraries imported already. Everything a program may look at is as in a fresh
interpreter: `__main__`, `sys.argv`, `sys.path`, `os.environ`, streams, signals, random state, and at the end the exit
status, the traceback and the exit handlers.
"""

from __future__ import annotations

import builtins
import contextlib
import importlib.machinery
import io
import os
import random
import runpy
import signal
import sys
import sysconfig
import tempfile
import threading
import time
import traceback
from pathlib import Path
from types import ModuleType, TracebackType
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_STARTED_WITH = ("PYTHONPATH", "PYTHONUNBUFFERED", "PYTHONIOENCODING", "PYTHONDONTWRITEBYTECODE")
"""variables of the interpreter that can still be obeyed after it has started"""
_NO_OPTIONS = {"-u"}


def can_run(argv: Sequence[str], env: Mapping[str, str]) -> bool:
    """Tell whether a fork can be what this command line and environment ask for; if not it has to be executed.

    Not so for interpreter options and `PYTHON…` variables that count at the start only, another Python, or a module
    beside the program (or on PYTHONPATH) with the name of one that is imported already.
    """
    if not _is_this_python(argv[0], env.get("PATH", "")) or _program(argv) is None:
        return False
    if any(name.startswith("PYTHON") and name not in _STARTED_WITH for name in env):
        return False
    return not any(_shadows(folder) for folder in _first_folders(argv, env))


def run(argv: Sequence[str], env: Mapping[str, str]) -> NoReturn:
    """Be the program. Never returns: the process ends with the status that the interpreter would end with."""
    _become(env)
    kind, name, rest = _program(argv) or ("", "", [])
    status = 1
    try:
        _prepare_path(kind, name, env)
        sys.orig_argv = list(argv)
        main = _main_module()
        if kind == "-m":
            sys.argv = [name, *rest]
            _module(name)
        elif kind == "-c":
            sys.argv = ["-c", *rest]
            exec(compile(name, "<string>", "exec"), main.__dict__)  # noqa: S102 - this is what `-c` means
        else:
            sys.argv = [name, *rest]
            _script(name, main)
        status = 0
    except SystemExit as leaving:
        status = _exit_status(leaving)
    except KeyboardInterrupt as interrupted:
        _report(interrupted)
        status = -signal.SIGINT
    except BaseException as error:  # noqa: BLE001 - whatever the program raised is the program's end
        _report(error)
    _leave(status)


def _is_this_python(program: str, search: str) -> bool:
    name = os.path.basename(program)  # noqa: PTH119 - text in, text out
    here = f"python{sys.version_info.major}.{sys.version_info.minor}"
    if name not in {"python", "python3", here}:
        return False
    if program == sys.executable:
        return True
    folders = [os.path.dirname(program)] if os.sep in program else search.split(os.pathsep)  # noqa: PTH120
    mine = os.path.dirname(sys.executable)  # noqa: PTH120
    for folder in folders:
        if os.access(os.path.join(folder, name), os.X_OK):  # noqa: PTH118
            return folder == mine
    return False


def _program(argv: Sequence[str]) -> tuple[str, str, list[str]] | None:
    """Return (kind, name, the arguments behind it); None for what only a new interpreter can do."""
    rest = list(argv[1:])
    while rest and rest[0] in _NO_OPTIONS:
        rest.pop(0)
    if len(rest) > 1 and rest[0] in {"-m", "-c"}:
        return rest[0], rest[1], rest[2:]
    if len(rest) > 1 and rest[0] == "--":
        rest.pop(0)
    elif not rest or rest[0].startswith("-"):
        return None
    return "script", rest[0], rest[1:]


def _first_folders(argv: Sequence[str], env: Mapping[str, str]) -> list[str]:
    kind, name, _ = _program(argv) or ("-c", "", [])
    first = os.path.dirname(os.path.realpath(name)) if kind == "script" else os.getcwd()  # noqa: PTH109, PTH120
    return [first, *filter(None, env.get("PYTHONPATH", "").split(os.pathsep))]


def _shadows(folder: str) -> bool:
    try:
        names = os.listdir(folder)  # noqa: PTH208 - text is what is needed
    except OSError:
        return False
    if os.path.realpath(folder) in _OWN_FOLDERS:
        return False
    return any(_imported(name.split(".", 1)[0]) for name in names if "." not in name or name.endswith((".py", ".so")))


def _imported(name: str) -> bool:
    module = sys.modules.get(name)
    return module is not None and name != "__main__" and hasattr(module, "__spec__")


def _become(env: Mapping[str, str]) -> None:
    os.environ.clear()
    os.environ.update(env)
    if "TZ" in env:
        time.tzset()
    tempfile.tempdir = None
    random.seed()
    numpy_random = sys.modules.get("numpy.random")
    if numpy_random is not None:
        numpy_random.seed()
    sys.dont_write_bytecode = bool(env.get("PYTHONDONTWRITEBYTECODE"))
    _open_streams(env.get("PYTHONIOENCODING", "utf-8"), unbuffered=bool(env.get("PYTHONUNBUFFERED")))


def _open_streams(described: str, *, unbuffered: bool) -> None:
    encoding, _, errors = described.partition(":")

    def writer(number: int, handling: str) -> io.TextIOWrapper:
        raw = io.FileIO(number, "wb", closefd=False)
        buffer = io.BufferedWriter(raw)
        return io.TextIOWrapper(buffer, encoding or "utf-8", handling, line_buffering=True, write_through=unbuffered)

    reader = io.BufferedReader(io.FileIO(0, "rb", closefd=False))
    sys.stdin = sys.__stdin__ = io.TextIOWrapper(reader, encoding or "utf-8", errors or "strict")  # type: ignore[misc]
    sys.stdout = sys.__stdout__ = writer(1, errors or "strict")  # type: ignore[misc]
    sys.stderr = sys.__stderr__ = writer(2, "backslashreplace")  # type: ignore[misc]


def _prepare_path(kind: str, name: str, env: Mapping[str, str]) -> None:
    first = os.path.dirname(os.path.realpath(name)) if kind == "script" else ""  # noqa: PTH120
    if kind == "-m":
        first = os.getcwd()  # noqa: PTH109
    asked = [folder for folder in env.get("PYTHONPATH", "").split(os.pathsep) if folder]
    sys.path[:] = [first, *asked, *_OWN_PATH]
    for folder in (first, *asked):  # what other folders hold is as it was when the zygote looked
        sys.path_importer_cache.pop(folder, None)


def _main_module() -> ModuleType:
    main = ModuleType("__main__")
    main.__dict__.update(__builtins__=builtins, __annotations__={})
    sys.modules["__main__"] = main
    return main


def _script(name: str, main: ModuleType) -> None:
    if not os.path.exists(name):  # noqa: PTH110
        sys.stderr.write(
            f"{sys.executable}: can't open file {os.path.abspath(name)!r}: "  # noqa: PTH100
            "[Errno 2] No such file or directory\n"
        )
        raise SystemExit(2)
    if os.path.isdir(name):  # noqa: PTH112
        runpy.run_path(name, run_name="__main__")
        return
    name = os.path.abspath(name)  # noqa: PTH100 - what the interpreter itself shows in tracebacks, too
    main.__file__ = name
    main.__dict__["__cached__"] = None
    main.__loader__ = importlib.machinery.SourceFileLoader("__main__", name)
    code = compile(Path(name).read_bytes(), name, "exec")
    exec(code, main.__dict__)  # noqa: S102 - this is what running a script means


def _module(name: str) -> None:
    runpy._run_module_as_main(name)  # type: ignore[attr-defined]  # noqa: SLF001 - what `-m` itself calls


def _exit_status(leaving: SystemExit) -> int:
    if leaving.code is None:
        return 0
    if isinstance(leaving.code, int):
        return leaving.code & 0xFF
    with contextlib.suppress(OSError, ValueError):
        print(leaving.code, file=sys.stderr)  # noqa: T201 - as the interpreter does
    return 1


def _report(error: BaseException) -> None:
    """Write the traceback as the interpreter would: without the frames of this file."""
    shown: TracebackType | None = error.__traceback__
    while shown is not None and shown.tb_frame.f_code.co_filename in _HIDDEN:
        shown = shown.tb_next
    hook: Callable[..., object] = sys.excepthook
    try:
        hook(type(error), error.with_traceback(shown), shown)
    except BaseException:  # noqa: BLE001 - a broken hook must not hide the program's own error
        traceback.print_exception(error)


def _leave(status: int) -> NoReturn:
    with contextlib.suppress(BaseException):
        threading._shutdown()  # type: ignore[attr-defined]  # noqa: SLF001 - joins the program's threads, as at exit
    _run_exit_handlers()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            status = status or 120  # what the interpreter says when its output cannot be written
    if status == -signal.SIGINT:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    os._exit(status)


def _run_exit_handlers() -> None:
    import atexit  # noqa: PLC0415 - its private function is needed here alone

    with contextlib.suppress(BaseException):
        atexit._run_exitfuncs()  # noqa: SLF001 - os._exit, which a fork has to use, would skip them


_OWN_PATH = [folder for folder in sys.path if folder]
_OWN_FOLDERS = {os.path.realpath(folder) for folder in [*_OWN_PATH, sysconfig.get_paths()["stdlib"]]}
_HIDDEN = {__file__, runpy.__file__, "<frozen runpy>", "<frozen importlib._bootstrap>"}
