"""The warm processes of one function: taken for one invocation each, kept for the next."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from modelwright.local.service import AwsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from modelwright.local.functions.record import Function
    from modelwright.local.functions.sandbox import Sandbox

MOST_PROCESSES = 10
"""of a function without reserved concurrency; further calls wait (AWS would start up to 1,000 in all)"""
MOST_IDLE = 2


class Pool:
    """Processes of a function in its present revision."""

    def __init__(self, function: Function, start: Callable[[Function], Sandbox]) -> None:
        self.function = function
        self._start = start
        self._free = threading.Condition()
        self._idle: list[Sandbox] = []
        self._busy: set[Sandbox] = set()
        self._taken = 0
        self._closed = False
        self.killed = False
        """Whether its processes were ended because the local cloud ends: no fault of the function's."""

    @contextmanager
    def taken(self, *, wait: bool) -> Iterator[Sandbox]:
        """Lend a process. With reserved concurrency used up: TooManyRequestsException, or wait when asked to."""
        sandbox = self._take(wait=wait)
        try:
            yield sandbox
        except BaseException:
            self._give_back(sandbox, alive=False)
            raise
        self._give_back(sandbox, alive=sandbox.usable)

    def close(self) -> None:
        """End what is idle now; what is busy ends when it is given back."""
        for sandbox in self._take_idle():
            sandbox.close()

    def kill(self) -> None:
        """Let every process end, busy or not, as the local cloud ends; returns at once."""
        with self._free:
            self.killed = True
        idle = self._take_idle()
        with self._free:
            every = [*idle, *self._busy]
        for sandbox in every:
            sandbox.kill()

    def _take_idle(self) -> list[Sandbox]:
        with self._free:
            self._closed = True
            idle, self._idle = self._idle, []
            self._free.notify_all()
        return idle

    def _take(self, *, wait: bool) -> Sandbox:
        limit = MOST_PROCESSES if self.function.reserved is None else self.function.reserved
        with self._free:
            if self._taken >= limit and not wait and self.function.reserved is not None:
                raise _throttled()
            while self._taken >= limit and not self._closed:
                self._free.wait()
            if self.killed:
                raise _ends()
            self._taken += 1
            sandbox = self._idle.pop() if self._idle else None
        try:
            sandbox = sandbox or self._start(self.function)
        except BaseException:
            with self._free:
                self._taken -= 1
                self._free.notify()
            raise
        with self._free:
            self._busy.add(sandbox)
            late = self.killed
        if late:  # `kill` came while it was started
            sandbox.kill()
        return sandbox

    def _give_back(self, sandbox: Sandbox, *, alive: bool) -> None:
        with self._free:
            self._taken -= 1
            self._busy.discard(sandbox)
            kept = alive and not self._closed and len(self._idle) < MOST_IDLE
            if kept:
                self._idle.append(sandbox)
            self._free.notify()
        if not kept:
            sandbox.close()


def _ends() -> AwsError:
    return AwsError("ServiceException", "The local cloud is being stopped.", 500, {"Type": "Service"})


def _throttled() -> AwsError:
    return AwsError(
        "TooManyRequestsException",
        "Rate Exceeded.",
        429,
        {"Reason": "ReservedFunctionConcurrentInvocationLimitExceeded", "Type": "User"},
    )
