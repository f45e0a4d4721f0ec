"""Several processes that serve one model: forked from the one that has loaded it, started again, ended together.

The process that loads is the one that watches: it answers nobody, so that nothing of a request can harm it. Why so, and
what was measured: docs/adr/0018-workers-and-gathering.md.
"""

from __future__ import annotations

import gc
import json
import os
import selectors
import signal
import socket
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from modelwright.serving.log import tell
from modelwright.serving.problems import StartupError
from modelwright.serving.process.worker import Share, become, flush, tell_watcher

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelwright.serving.process.counters import Counters

    Work = Callable[["Share", Callable[[], None]], int]
    """what a worker does: it says when it listens, and returns its exit code; StartupError when it cannot serve"""

MOST_IDLE_ENDS = 5
"""so often in a row may workers end that nobody had asked anything, before all is given up"""
FIRST_PAUSE_SECONDS = 0.05
LONGEST_PAUSE_SECONDS = 2.0
MOST_DOUBLED = 16
SHORT_LIFE_SECONDS = 10.0
"""who lived longer is started again at once"""
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD)


@dataclass
class _Place:
    """One of the workers, and whoever comes after it."""

    number: int
    pid: int | None = None
    telling: int | None = None
    """a pipe from it: one line, when it serves or cannot"""
    reason: str = ""
    """why it cannot"""
    started: float = 0.0
    asked: int = 0
    """how much had been asked of this place when it was started"""
    ready: bool = False
    short_lives: int = 0
    again: float | None = None
    """when the next is started; None while one lives"""


@dataclass
class Supervisor:
    """Forks the workers and watches them."""

    workers: int
    work: Work
    listener: socket.socket
    counters: Counters
    on_ready: Callable[[], None]
    grace_seconds: float
    """so long may workers take to end"""
    _places: list[_Place] = field(default_factory=list)
    _reason: str = ""
    _stopping: float | None = None
    _killed: bool = False
    _idle_ends: int = 0
    _told: bool = False
    _failed: bool = False
    """whether a worker that was to end did not end well"""

    def run(self) -> int:
        """Return the exit code when all have ended: after SIGTERM or SIGINT, or, with a StartupError, when none can."""
        gc.collect()
        gc.freeze()  # what is loaded stays: no collection writes to pages that all share
        self._lifeline, self._held = os.pipe()
        self._places = [_Place(number, again=0.0) for number in range(self.workers)]
        before = self._catch_signals()
        try:
            return self._watch()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(-1)
            os.close(self._held)

    def _catch_signals(self) -> dict[int, Any]:
        self._woken, waking = socket.socketpair()
        self._woken.setblocking(False)
        waking.setblocking(False)
        self._waking = waking
        signal.set_wakeup_fd(waking.fileno(), warn_on_full_buffer=False)
        return {number: signal.signal(number, lambda *_: None) for number in _SIGNALS}

    def _watch(self) -> int:
        with selectors.DefaultSelector() as self._selector:
            self._selector.register(self._woken, selectors.EVENT_READ)
            while self._stopping is None or any(place.pid for place in self._places):
                self._start_due()
                for key, _ in self._selector.select(self._until()):
                    if key.fileobj is self._woken:
                        self._hear(self._woken.recv(4096))
                    else:
                        self._be_told(key.data)
                self._reap()
                self._kill_late()
        if self._reason:
            raise StartupError(self._reason)
        return int(self._failed)

    # begin

    def _start_due(self) -> None:
        for place in self._places:
            if self._stopping is None and place.again is not None and place.again <= time.monotonic():
                self._fork(place)

    def _fork(self, place: _Place) -> None:
        place.asked = self.counters.asked(place.number)
        place.ready, place.reason, place.started, place.again = False, "", time.monotonic(), None
        flush()  # what is in the buffers would be written by both
        reading, writing = os.pipe()
        try:
            pid = os.fork()
        except OSError as error:  # no memory, or too many processes: perhaps not for long
            os.close(reading)
            os.close(writing)
            self._missing(place, f"it could not be started: {error.strerror}")
            return
        if pid == 0:
            os.close(reading)
            become(lambda: self._be_worker(place.number, writing), writing)
        os.close(writing)
        place.pid, place.telling = pid, reading
        self._selector.register(reading, selectors.EVENT_READ, place)

    def _be_worker(self, number: int, telling: int) -> int:
        """In the worker: be as a process that was started, then serve."""
        signal.set_wakeup_fd(-1)
        for one in _SIGNALS:
            signal.signal(one, signal.SIG_DFL)
        self._selector.close()
        self._woken.close()
        self._waking.close()
        os.close(self._held)
        for place in self._places:
            if place.telling is not None:
                os.close(place.telling)

        def listening() -> None:
            tell_watcher(telling, {"ready": True})

        return self.work(Share(self.counters.of(number), self._lifeline), listening)

    def _be_told(self, place: _Place) -> None:
        if place.telling is None:
            return
        self._selector.unregister(place.telling)
        line = os.read(place.telling, 65536)
        os.close(place.telling)
        place.telling = None
        message = json.loads(line) if line.endswith(b"\n") else {}
        place.ready, place.reason = bool(message.get("ready")), message.get("reason", "")
        if place.reason and not self._told:
            self._give_up(place.reason)
        if not self._told and all(one.ready for one in self._places):
            self._told = True
            self.on_ready()

    # go on

    def _until(self) -> float | None:
        if self._killed:
            return None
        if self._stopping is not None:
            return max(0.0, self._stopping - time.monotonic())
        due = [place.again for place in self._places if place.again is not None]
        return max(0.0, min(due) - time.monotonic()) if due else None

    def _reap(self) -> None:
        """Take note of who has ended, orphans of scripts among them: in a container this is the first process."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            for place in self._places:
                if place.pid == pid:
                    self._be_told(place)
                    self._ended(place, os.waitstatus_to_exitcode(status))

    def _ended(self, place: _Place, code: int) -> None:
        pid, place.pid = place.pid, None
        was_asked = place.ready and self.counters.asked(place.number) != place.asked
        self.counters.of(place.number).serving(False)
        if self._stopping is not None:
            self._failed |= bool(code) and not (code == -signal.SIGTERM and not place.ready)
            return
        because = place.reason or _because(code)
        tell({"event": "worker ended", "worker": place.number, "pid": pid, "because": because})
        if was_asked:
            self._idle_ends = -1
        self._missing(place, because)

    def _missing(self, place: _Place, because: str) -> None:
        """Start another, unless there seems to be no use in it."""
        self._idle_ends += 1
        if self._idle_ends >= MOST_IDLE_ENDS and not any(one.pid and one.ready for one in self._places):
            self._give_up(
                f"The workers end as soon as they are started, {MOST_IDLE_ENDS} in a row; the last: {because}."
            )
            return
        self._start_again(place)

    def _start_again(self, place: _Place) -> None:
        short = time.monotonic() - place.started < SHORT_LIFE_SECONDS
        place.short_lives = place.short_lives + 1 if short else 0
        doubled = min(place.short_lives, MOST_DOUBLED) - 1
        pause = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2**doubled) if short else 0.0
        place.again = time.monotonic() + pause

    # end

    def _hear(self, signals: bytes) -> None:
        if self._stopping is None and not {signal.SIGTERM, signal.SIGINT}.isdisjoint(signals):
            self._stop()

    def _give_up(self, reason: str) -> None:
        if self._stopping is None:
            self._reason = reason
            self._stop()

    def _stop(self) -> None:
        self._stopping = time.monotonic() + self.grace_seconds
        self.listener.close()  # each worker accepts who has connected, and closes its own
        self._send(signal.SIGTERM)

    def _kill_late(self) -> None:
        if self._stopping is not None and time.monotonic() >= self._stopping and not self._killed:
            self._killed = True
            self._send(signal.SIGKILL)

    def _send(self, number: int) -> None:
        for place in self._places:
            if place.pid is not None:
                os.kill(place.pid, number)


def _because(code: int) -> str:
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"
