"""`/opt/ml` where the system gives no mount namespace: paths are moved to the process's own tree.

Two halves. `moved` moves what a process is told: arguments, environment values and its own directory.
`install` moves what a Python process asks for: the file functions of `builtins`, `io` and `os`, through which
`pathlib`, `shutil`, `glob`, `tempfile`, `zipfile` and pandas reach files.

What it cannot do, and a mount namespace can: native code that opens `/opt/ml/…` by a name of its own (pyarrow's file
systems, a C extension's fopen), a program that is not Python and has the path written into it, and names that the
system gives back (`os.getcwd()`, `__file__`, a traceback) show the true path.
"""

from __future__ import annotations

import builtins
import functools
import io
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MOUNT_POINT = "/opt/ml"
ROOT_VARIABLE = "MODELWRIGHT_OPT_ML"
"""tells a Python that was executed (instead of forked) where its `/opt/ml` is"""

_ONE_PATH = [
    "stat",
    "lstat",
    "listdir",
    "scandir",
    "mkdir",
    "makedirs",
    "remove",
    "unlink",
    "rmdir",
    "removedirs",
    "access",
    "chdir",
    "chmod",
    "chown",
    "utime",
    "truncate",
    "readlink",
    "open",
    "statvfs",
    "mkfifo",
    "listxattr",
    "getxattr",
    "setxattr",
    "removexattr",
    "lchown",
    "walk",
]
_TWO_PATHS = ["rename", "replace", "renames", "link", "symlink"]
_WRITTEN = re.compile(r"(?<![\w./-])/opt/ml(?=/|$|[\s'\";:,)])")


def moved(text: str, root: str) -> str:
    """Return `text` with each path in it that begins with `/opt/ml` moved under `root`."""
    return _WRITTEN.sub(lambda _: root, text) if MOUNT_POINT in text else text


def path(value: Any, root: str) -> Any:
    """Return a path (text, bytes or path-like) moved under `root` if it lies in `/opt/ml`; anything else as it is."""
    if isinstance(value, int) or value is None:
        return value
    try:
        plain = os.fspath(value)
    except TypeError:
        return value
    text = os.fsdecode(plain)
    if text != MOUNT_POINT and not text.startswith(f"{MOUNT_POINT}/"):
        return value
    there = root + text[len(MOUNT_POINT) :]
    return os.fsencode(there) if isinstance(plain, bytes) else there


def environment(env: Mapping[str, str], root: str) -> dict[str, str]:
    """Return the environment of a program that is executed: values moved, and every Python in it translating."""
    own = {name: moved(text, root) for name, text in env.items()}
    path = [str(Path(__file__).parent / "site"), *filter(None, [own.get("PYTHONPATH")])]
    return {**own, "PYTHONPATH": os.pathsep.join(path), ROOT_VARIABLE: root}


def install(root: str) -> None:
    """Make this Python process see `root` as `/opt/ml` in every file function listed above."""
    for name in _ONE_PATH:
        if hasattr(os, name):
            setattr(os, name, _translating(getattr(os, name), root, ("path", "top", "file"), 1))
    for name in _TWO_PATHS:
        setattr(os, name, _translating(getattr(os, name), root, ("src", "dst", "old", "new"), 2))
    opened = _translating(io.open, root, ("file",), 1)
    builtins.open = opened
    io.open = opened
    _install_in_os_path()


def _translating(function: Callable[..., Any], root: str, names: tuple[str, ...], count: int) -> Callable[..., Any]:
    @functools.wraps(function)
    def translated(*arguments: Any, **keywords: Any) -> Any:
        moved_arguments = [path(value, root) if at < count else value for at, value in enumerate(arguments)]
        moved_keywords = {name: path(value, root) if name in names else value for name, value in keywords.items()}
        return function(*moved_arguments, **moved_keywords)

    for capable in (os.supports_fd, os.supports_dir_fd, os.supports_follow_symlinks, os.supports_effective_ids):
        if function in capable:
            capable.add(translated)  # shutil asks these sets what a function can do
    return translated


def _install_in_os_path() -> None:
    """Newer Pythons answer some of `os.path` in C; send them through `os.stat` again."""
    import genericpath  # noqa: PLC0415 - a private matter of this one function
    import stat  # noqa: PLC0415

    def mode(name: Any) -> int:
        try:
            return os.stat(name).st_mode  # noqa: PTH116 - this is what pathlib itself stands on
        except (OSError, ValueError):
            return 0

    found: dict[str, Callable[[Any], bool]] = {
        "exists": lambda name: mode(name) != 0,
        "isdir": lambda s: stat.S_ISDIR(mode(s)),
        "isfile": lambda name: stat.S_ISREG(mode(name)),
    }
    for name, function in found.items():
        setattr(os.path, name, function)
        setattr(genericpath, name, function)
