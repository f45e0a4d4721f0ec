"""One call at a time in a thread beside the event loop, with a time limit that a stuck call cannot outlive."""

from __future__ import annotations

import asyncio
import ctypes
import queue
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_STUCK = 4
"""so many calls may be stuck in code that cannot be interrupted before the process is of no more use"""


class Interrupted(BaseException):
    """Raised inside a call that has had its time; no `except Exception` of a script keeps it."""


class _Call:
    def __init__(self, work: Callable[[], Any], loop: asyncio.AbstractEventLoop) -> None:
        self.work = work
        self.loop = loop
        self.future: asyncio.Future[Any] = loop.create_future()

    def finish(self, result: Any, error: BaseException | None) -> None:
        try:
            self.loop.call_soon_threadsafe(self._settle, result, error)
        except RuntimeError:
            return  # the loop is closed: nobody waits any more

    def _settle(self, result: Any, error: BaseException | None) -> None:
        if self.future.done():
            return
        if error is None:
            self.future.set_result(result)
        else:
            self.future.set_exception(error)


class Lane:
    """Runs calls one after the other. A call over its time is given up and another thread takes over."""

    def __init__(self) -> None:
        """Start with one thread."""
        self._calls: queue.SimpleQueue[_Call] = queue.SimpleQueue()
        self._current: _Call | None = None
        self._given_up: list[threading.Thread] = []
        self._thread = self._new_thread()

    @property
    def stuck(self) -> bool:
        """Whether too many calls could not be interrupted."""
        self._given_up = [thread for thread in self._given_up if thread.is_alive()]
        return len(self._given_up) >= MOST_STUCK

    async def run(self, work: Callable[[], Any], seconds: float) -> Any:
        """Return what `work` returns, or raise what it raises; TimeoutError when it has not begun or ended in time."""
        call = _Call(work, asyncio.get_running_loop())
        self._calls.put(call)
        try:
            async with asyncio.timeout(seconds):
                return await call.future
        except TimeoutError:
            if self._current is call:
                self._give_up()
            raise

    def _new_thread(self) -> threading.Thread:
        thread = threading.Thread(target=self._work, name="predict", daemon=True)
        thread.start()
        return thread

    def _give_up(self) -> None:
        stuck, self._current = self._thread, None
        self._given_up.append(stuck)
        self._thread = self._new_thread()
        if stuck.ident is not None:
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(stuck.ident), ctypes.py_object(Interrupted))

    def _work(self) -> None:
        me = threading.current_thread()
        try:
            while me not in self._given_up:
                call = self._calls.get()
                if call.future.done():
                    continue  # its time was over before it began
                self._current = call
                result, error = _outcome(call.work)
                if me in self._given_up:
                    return
                self._current = None
                call.finish(result, error)
        except Interrupted:
            return  # it came late: the call had just ended


def _outcome(work: Callable[[], Any]) -> tuple[Any, BaseException | None]:
    try:
        return work(), None
    except BaseException as error:  # noqa: BLE001  # whatever a script raises is that request's, never the thread's
        return None, error
