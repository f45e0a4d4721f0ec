"""What a new process does between the zygote's fork and its own program."""

from __future__ import annotations

import ctypes
import fcntl
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from modelwright.local.processes import mounts, preload, python_main, translate

CANNOT_START = 127
"""exit status of a process whose program could not be started; the reason is on its standard error"""
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Zygote:
    """What a child has to know of the zygote that it was forked from."""

    pid: int
    has_mounts: bool
    may_fork: bool
    """False where running on after fork is unsafe: then each program is executed"""


def start(message: dict[str, Any], descriptors: list[int], zygote: Zygote) -> NoReturn:
    """Become the process that `message` (ProcessSpec.to_message) asks for; descriptors[0] is its output.

    Never returns.
    """
    try:
        _take_descriptors(descriptors)
        _own_session(zygote)
        argv, env = _enter_tree(message, zygote)
        if zygote.may_fork and python_main.can_run(argv, env):
            preload.release_threads(env)
            if not zygote.has_mounts:
                translate.install(message["root"])
            python_main.run(argv, env)
        if not zygote.has_mounts:
            env = translate.environment(env, message["root"])
        os.execvpe(argv[0], argv, env)  # noqa: S606 - starting a program without a shell is the point
    except BaseException as error:  # noqa: BLE001 - nothing of the zygote may run on in this process
        os.write(2, f"{message['argv'][0]}: {error}\n".encode())
    os._exit(CANNOT_START)


def _take_descriptors(descriptors: list[int]) -> None:
    """Make descriptors[0] both output streams, the others 3, 4, …, nothing the input; close everything else."""
    floor = 2 + len(descriptors)
    null = os.open(os.devnull, os.O_RDONLY)
    safe = [fcntl.fcntl(number, fcntl.F_DUPFD, floor) for number in (null, descriptors[0], *descriptors)]
    for place, number in enumerate([safe[0], safe[1], *safe[2:]]):
        os.dup2(number, place)
    os.closerange(floor, _highest() + 1)


def _highest() -> int:
    for folder in ("/proc/self/fd", "/dev/fd"):
        try:
            return max(int(name) for name in os.listdir(folder))  # noqa: PTH208
        except OSError:
            continue
    return 4096


def _own_session(zygote: Zygote) -> None:
    os.setsid()
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != zygote.pid:
            os._exit(CANNOT_START)  # the zygote died before the line above took effect
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _enter_tree(message: dict[str, Any], zygote: Zygote) -> tuple[list[str], dict[str, str]]:
    """Give the process its `/opt/ml` and its directory; return argv and environment as it is to see them."""
    root, cwd = message["root"], message["cwd"]
    if zygote.has_mounts:
        mounts.bind(root)
        inside = Path(cwd).is_relative_to(root)
        os.chdir(Path(translate.MOUNT_POINT, Path(cwd).relative_to(root)) if inside else cwd)
        return message["argv"], message["env"]
    os.chdir(cwd)
    argv = [translate.moved(text, root) for text in message["argv"]]
    return argv, {name: translate.moved(text, root) for name, text in message["env"].items()}
