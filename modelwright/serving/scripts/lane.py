"""One thread beside the event loop that predicts, with a time limit that a stuck call cannot outlive.

Where the model says that it `gathers`, the requests that have come meanwhile are answered together (`gather.py`).
"""

from __future__ import annotations

import asyncio
import ctypes
import queue
import threading
import time
import traceback
from collections import deque
from typing import TYPE_CHECKING, Any, cast

from modelwright.serving import log
from modelwright.serving.problems import Interrupted, RequestError, last_line
from modelwright.serving.process import forks
from modelwright.serving.scripts.gather import Gathering, Steps

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from modelwright.serving.model import Model
    from modelwright.serving.scripts.gather import Outcome

MOST_STUCK = 4
"""so many calls may be stuck in code that cannot be interrupted before the process is of no more use"""
MOST_WAIT_SECONDS = 0.002
WAIT_SHARE = 0.25
"""of the last call's time: so long is waited, at most, for requests that came with those before"""
STAGES = (0.5, 0.25, 0.25)
"""of its time, for a request that is answered together with others: then those that run together are run one by one;
then the one that runs goes behind the others; then it is over"""
LEAST_RUN = 0.125
"""of its time; what has run for less is left alone until the next stage"""


class _Call:
    """One request on its way through the thread."""

    def __init__(self, prepared: Any, seconds: float, loop: asyncio.AbstractEventLoop) -> None:
        self.prepared = prepared
        self.seconds = seconds
        self.future: asyncio.Future[Any] = loop.create_future()
        self.alone = False
        """not answered together with others any more"""
        self.stage = 0
        self.ended = False
        self.timer: asyncio.TimerHandle | None = None

    @property
    def over(self) -> bool:
        """Whether nobody waits any more."""
        return self.future.done()

    def settle(self, outcome: Outcome) -> None:
        if self.timer is not None:
            self.timer.cancel()
        if self.over:
            return
        if isinstance(outcome, BaseException):
            self.future.set_exception(outcome)
        else:
            self.future.set_result(outcome)


class _Worker:
    """A thread, and what it is at. Nobody else writes here, so that one that was given up is in nobody's way."""

    def __init__(self, work: Callable[[_Worker], None]) -> None:
        self.current: list[_Call] = []
        self.began = 0.0
        self.given_up = False
        self.thread = threading.Thread(target=work, args=(self,), name="predict", daemon=True)
        self.thread.start()

    def interrupt(self) -> None:
        self.given_up = True
        if self.thread.ident is not None:
            number = ctypes.c_ulong(self.thread.ident)
            ctypes.pythonapi.PyThreadState_SetAsyncExc(number, ctypes.py_object(Interrupted))


class Lane:
    """Runs requests in the order in which they come. One over its time is given up, and another thread takes over."""

    def __init__(self, model: Model) -> None:
        """Start with one thread."""
        self._model = model
        self._gathering = Gathering(cast("Steps", model), _tell) if model.gathers else None
        self._calls: queue.SimpleQueue[_Call] = queue.SimpleQueue()
        self._again: deque[_Call] = deque()
        """those whose thread was given up though it was not their fault; a new thread takes them first"""
        self._given_up: list[_Worker] = []
        self._expected = 1
        self._wait_seconds = 0.0
        self._worker = _Worker(self._work)

    @property
    def stuck(self) -> bool:
        """Whether too many calls could not be interrupted."""
        self._given_up = [worker for worker in self._given_up if worker.thread.is_alive()]
        return len(self._given_up) >= MOST_STUCK

    def run(self, prepared: Any, seconds: float) -> asyncio.Future[Any]:
        """Return what will be the model's answer, or what it raises; TimeoutError when there is none in time."""
        call = _Call(prepared, seconds, asyncio.get_running_loop())
        self._wait_stage(call)
        self._calls.put(call)
        return call.future

    # the event loop

    def _late(self, call: _Call) -> None:
        """A stage of the call's time is over. Looks at what runs, also when nobody waits for it any more."""
        if call.ended:
            return
        call.stage += 1
        stages = len(STAGES) if self._gathering is not None else 1
        current = list(self._worker.current)
        if call.stage >= stages and not call.over:
            call.future.set_exception(TimeoutError())
        if call not in current:
            call.alone = True
            if call.stage > stages:
                return  # the thread takes no call that is over; it had one stage more, had the thread just taken it
        elif call.over:
            call.ended = True
            self._give_up([other for other in current if other is not call])
            return
        elif time.perf_counter() - self._worker.began < LEAST_RUN * call.seconds:
            pass  # it is not what has taken so long
        elif len(current) > 1:
            self._give_up(current)
        elif self._again:
            self._give_up(())
            self._again.append(call)
        self._wait_stage(call)

    def _wait_stage(self, call: _Call) -> None:
        share = STAGES[min(call.stage, len(STAGES) - 1)] if self._gathering is not None else 1
        call.timer = call.future.get_loop().call_later(call.seconds * share, self._late, call)

    def _give_up(self, again: Sequence[_Call]) -> None:
        for call in again:
            call.alone = True
            self._again.append(call)
        self._given_up.append(self._worker)
        self._worker.interrupt()
        self._worker = _Worker(self._work)

    # the thread

    def _work(self, worker: _Worker) -> None:
        try:
            while not worker.given_up:
                call = self._take()
                if call is None:
                    continue
                worker.began = started = time.perf_counter()
                worker.current = mine = [call]
                outcomes = self._answer(mine, started)
                forks.end_if_forked()
                if worker.given_up:
                    return
                worker.current = []
                _finish(mine, outcomes)
                self._expected = len(mine) + self._calls.qsize()
                self._wait_seconds = min(MOST_WAIT_SECONDS, WAIT_SHARE * (time.perf_counter() - started))
        except Interrupted:
            return  # it came late: the call had just ended

    def _take(self) -> _Call | None:
        try:
            call = self._again.popleft()
        except IndexError:
            call = self._calls.get()
        if call.over:
            call.ended = True
            return None
        return call

    def _answer(self, mine: list[_Call], started: float) -> list[Outcome]:
        (call,) = mine
        if self._gathering is None or call.alone:
            return [_outcome(self._model, call.prepared)]
        until = started + self._wait_seconds
        try:
            return self._gathering.answer(call.prepared, lambda: self._more(mine, until))
        except Interrupted:
            raise
        except BaseException as error:  # noqa: BLE001  # a thread that ends would answer nobody any more
            traceback.print_exc()
            return [RequestError(500, "ModelError", last_line(error)) for _ in mine]

    def _more(self, mine: list[_Call], until: float) -> Any:
        """Take one that has come meanwhile; where as many as lately have not come yet, wait a moment for it."""
        while True:
            wait = until - time.perf_counter() if len(mine) < self._expected else 0
            try:
                call = self._calls.get(timeout=wait) if wait > 0 else self._calls.get_nowait()
            except queue.Empty:
                return None
            if call.over:
                call.ended = True
            elif call.alone:
                self._again.append(call)
            else:
                mine.append(call)
                return call.prepared


def _finish(calls: Sequence[_Call], outcomes: Sequence[Outcome]) -> None:
    for call in calls:
        call.ended = True
    try:
        calls[0].future.get_loop().call_soon_threadsafe(_settle, list(zip(calls, outcomes, strict=True)))
    except RuntimeError:
        return  # the loop is closed: nobody waits any more


def _settle(ended: Sequence[tuple[_Call, Outcome]]) -> None:
    for call, outcome in ended:
        call.settle(outcome)


def _outcome(model: Model, prepared: Any) -> Outcome:
    try:
        return model.run(prepared)
    except RequestError as error:
        return error
    except BaseException as error:  # noqa: BLE001  # whatever a script raises is that request's, never the thread's
        return RequestError(500, "ModelError", last_line(error))


def _tell(why: str) -> None:
    log.tell({"event": "not gathering", "because": why})
