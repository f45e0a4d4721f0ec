"""Processes that a script forks of the one that serves, as `multiprocessing` does: they are not to serve.

They are born with its sockets and its way to hear of signals. A signal that one of them gets would be told to the event
loop, and `Pool.terminate` would end the server (https://github.com/python/cpython/issues/94454); one that outlives a
connection would keep it open, and one that outlives the server its port.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    Descriptors = Callable[[], Iterable[int]]

_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_held = threading.local()
"""the signals that were held back before a fork, in the thread that forks"""
_serving: list[Descriptors] = []
"""what whoever serves in this process has open just now; nothing where nobody does"""
_process: list[int] = []
"""the process that asked to be told apart from those that it forks"""


@contextmanager
def apart(descriptors: Descriptors) -> Iterator[None]:
    """Until the end of the block, let forked processes have none of these descriptors and none of our signals."""
    if not _process:
        os.register_at_fork(before=_hold, after_in_parent=_release, after_in_child=_born)
    _process[:] = [os.getpid()]
    _serving.append(descriptors)
    try:
        yield
    finally:
        _serving.remove(descriptors)


def end_if_forked() -> None:
    """End a process that a script has forked and let come back from its function: it is no server."""
    if _process and _process[0] != os.getpid():
        os._exit(1)


def end_children() -> None:
    """Send SIGTERM to what this process has started: a worker ends without what would end a script's pools."""
    for listed in Path("/proc/self/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for pid in map(int, listed.read_text("ascii").split()):
                os.kill(pid, signal.SIGTERM)


def _hold() -> None:
    """Before a fork: a signal for the new process has to wait until it no longer hears as this one does."""
    if _serving:
        _held.mask = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)


def _release() -> None:
    mask, _held.mask = getattr(_held, "mask", None), None
    if mask is not None:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def _born() -> None:
    if _serving:
        _let_go()
    _release()


def _let_go() -> None:
    signal.set_wakeup_fd(-1)
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    for descriptors in _serving:
        for descriptor in descriptors():
            with contextlib.suppress(OSError):
                os.close(descriptor)
    _serving.clear()
