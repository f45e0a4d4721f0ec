"""A single-threaded process that imports libraries once, and forks each process that the launcher asks for.

It is the parent of all of them: it reaps them, tells how they ended, and ends them when the launcher is gone: the
channel to it is the life-line, so nothing outlives the daemon, however it dies.
"""

from __future__ import annotations

import contextlib
import ctypes
import dataclasses
import functools
import gc
import os
import selectors
import signal
import socket
import sys
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelwright.local.processes import child, mounts, preload, wire

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_PR_SET_CHILD_SUBREAPER = 36
_WITHOUT_FORK = sys.platform == "darwin"
"""Apple's frameworks are not safe to use after a fork: there each program is executed"""


def main(channel_number: int) -> None:
    """Serve the launcher at the other end of this descriptor until it is gone."""
    channel = socket.socket(fileno=channel_number)
    os.set_inheritable(channel_number, False)
    order, _ = wire.receive(channel)
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)
    zygote, hello = _prepare(order)
    wire.send(channel, hello)
    steps = (_later(order), _later(order["in_use"])) if zygote.may_fork else ([], [])
    _Loop(channel, zygote, *steps).run()
    os._exit(0)  # taking all libraries apart takes longer than everything else at a stop


def _prepare(order: dict[str, Any]) -> tuple[child.Zygote, dict[str, Any]]:
    """Import what is needed at once."""
    has_mounts = order["mounts"] and mounts.prepare()
    failed: dict[str, str] = {}
    may_fork = order["fork"] and not _WITHOUT_FORK
    if may_fork:
        preload.hold_threads()
        modules = [*order["modules"], *preload.third_party_imports(Path(folder) for folder in order["folders"])]
        gc.disable()  # it would look through everything again and again, and all of it stays
        failed = preload.load(modules)
        gc.freeze()  # so that the children's collections do not copy what they share
        gc.enable()
    hello = {"event": "ready", "mounts": has_mounts, "fork": may_fork and _threads() == 1, "failed": failed}
    return child.Zygote(os.getpid(), has_mounts, may_fork), hello


def _later(order: dict[str, Any]) -> list[Callable[[], object]]:
    """Return what is imported while nobody asks for a process, step by step; the last step is to tidy up."""
    modules = [functools.partial(preload.load, [name]) for name in order["later"]]
    clients = [functools.partial(preload.warm_boto3, service) for service in order["clients"]]
    return [preload.rehearse, *clients, *modules, gc.collect, gc.freeze]


def _threads() -> int:
    try:
        return len(os.listdir("/proc/self/task"))  # noqa: PTH208
    except OSError:
        return 1


class _Loop:
    """Requests of the launcher, and the ends of children.

    `later` is done while nobody asks for anything, `in_use` likewise, but only when a first process has been started:
    the memory is free for the template's making until then.
    """

    def __init__(
        self,
        channel: socket.socket,
        zygote: child.Zygote,
        later: Sequence[Callable[[], object]],
        in_use: Sequence[Callable[[], object]],
    ) -> None:
        self._channel = channel
        self._zygote = zygote
        self._later = deque(later)
        self._in_use = in_use
        self._children: set[int] = set()
        self._woken, wake = socket.socketpair()
        for end in (self._woken, wake):
            end.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the launcher's to handle
        signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
        self._wake = wake

    def run(self) -> None:
        try:
            with selectors.DefaultSelector() as selector:
                selector.register(self._channel, selectors.EVENT_READ)
                selector.register(self._woken, selectors.EVENT_READ)
                while True:
                    ready = selector.select(0 if self._later else None)
                    if not ready:
                        self._later.popleft()()
                    for key, _ in ready:
                        if key.fileobj is self._woken:
                            self._reap()
                        else:
                            self._answer(*wire.receive(self._channel))
        except (wire.Closed, ConnectionError):
            pass
        finally:
            _end_all(self._children)

    def _answer(self, message: dict[str, Any], descriptors: list[int]) -> None:
        if message["op"] == "start":
            self._start(message, descriptors)
        elif message["op"] == "go on":
            self._later.extend(self._in_use)
        elif message["pid"] in self._children:  # a pid that was reaped may be another's by now
            _signal_group(message["pid"], message["signal"])

    def _start(self, message: dict[str, Any], descriptors: list[int]) -> None:
        pid = os.fork()
        if pid == 0:
            alone = self._zygote.may_fork and _threads() == 1
            child.start(message, descriptors, dataclasses.replace(self._zygote, may_fork=alone))
        self._children.add(pid)
        for number in descriptors:
            os.close(number)
        wire.send(self._channel, {"event": "started", "id": message["id"], "pid": pid})

    def _reap(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._woken.recv(4096)
        for pid, status, usage in _ended_children(self._children):
            if pid in self._children:
                self._children.discard(pid)
                wire.send(self._channel, _ended(pid, status, usage))


def _ended_children(known: set[int]) -> Iterator[tuple[int, int, Any]]:
    """Reap what has ended; of a known child, first kill what it left running (its pid is still its own then)."""
    if not hasattr(os, "waitid"):  # macOS before Python 3.13
        yield from (reaped for pid in list(known) if (reaped := os.wait4(pid, os.WNOHANG))[0])
        return
    while True:
        try:
            found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return
        if found is None:
            return
        if found.si_pid in known:
            _signal_group(found.si_pid, signal.SIGKILL)
        yield os.wait4(found.si_pid, 0)


def _end_all(children: set[int]) -> None:
    """Kill every child, and then those whose parents these were: they become children of this process one by one."""
    left = children | _adopted()
    while left:
        for pid in left:
            _signal_group(pid, signal.SIGKILL)
        for pid in left:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, 0)
        left = _adopted()


def _adopted() -> set[int]:
    """Processes whose parents have ended: they are this process's children now, where the system can do that."""
    try:
        return {int(pid) for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()}
    except OSError:
        return set()


def _ended(pid: int, status: int, usage: Any) -> dict[str, Any]:
    unit = 1 if sys.platform == "darwin" else 1024
    return {
        "event": "ended",
        "pid": pid,
        "status": os.waitstatus_to_exitcode(status),
        "cpu_seconds": usage.ru_utime + usage.ru_stime,
        "peak_bytes": usage.ru_maxrss * unit,
    }


def _signal_group(pid: int, number: int) -> None:
    """Signal a child and what it started; the child alone while it has no group of its own yet."""
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
    except PermissionError:  # macOS says so of a group whose processes have all ended
        pass
