"""Processes that a script forks of the one that serves, as `multiprocessing` does: they are not to serve.

They are born with its sockets and its way to hear of signals. A signal that one of them gets would be told to the event
loop, and `Pool.terminate` would end the server (https://github.com/python/cpython/issues/94454); one that outlives a
connection would keep it open, and one that outlives the server its port.
"""

from __future__ import annotations

import contextlib
import os
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    Descriptors = Callable[[], Iterable[int]]

_serving: list[Descriptors] = []
"""what whoever serves in this process has open just now; nothing where nobody does"""
_process: list[int] = []
"""the process that asked to be told apart from those that it forks"""


@contextmanager
def apart(descriptors: Descriptors) -> Iterator[None]:
    """Until the end of the block, let forked processes have none of these descriptors and none of our signals."""
    if not _process:
        os.register_at_fork(after_in_child=_born)
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


def _born() -> None:
    if not _serving:
        return
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    for descriptors in _serving:
        for descriptor in descriptors():
            with contextlib.suppress(OSError):
                os.close(descriptor)
    _serving.clear()
