"""Requests to an endpoint at a steady rate, beside whatever else goes on: what became of each is counted."""

from __future__ import annotations

import re
import threading
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from modelwright.errors import WrongUsage

if TYPE_CHECKING:
    from collections.abc import Callable

FASTEST = 500.0
"""a second; what one sender gets through"""
MOST_AT_ONCE = 256
LOOK_EVERY_SECONDS = 0.2
LAST_ANSWERS_SECONDS = 70.0
"""a model may take 60 s: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html"""
_RATE = re.compile(r"(\d+(?:\.\d+)?)rps")
_HINT = f"Requests a second, as `--traffic 50rps`; more than 0 and at most {FASTEST:g}."


def parse_rate(text: str) -> float:
    """Return the requests a second of `50rps`; WrongUsage for anything else."""
    found = _RATE.fullmatch(text.strip().lower())
    if found is None:
        raise WrongUsage(f"--traffic {text}: that is no rate.", _HINT)
    rate = float(found[1])
    if not 0 < rate <= FASTEST:
        raise WrongUsage(f"--traffic {text}: the rate must be more than 0 and at most {FASTEST:g} a second.", _HINT)
    return rate


@dataclass(frozen=True)
class Outcome:
    """What became of one request.

    `answered` by a model; an `error` is the model's own, or a refusal that AWS documents for too many requests at once;
    `lost` is every other end: nobody was there, nobody answered.
    """

    kind: Literal["answered", "error", "lost"]
    variant: str = ""
    what: str = ""
    """of an error or a loss: which one"""


@dataclass
class Tally:
    """The requests so far. It is complete when as many have ended as were sent."""

    sent: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    variants: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    problems: Counter[str] = field(default_factory=Counter)
    losses: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)

    @property
    def unanswered(self) -> int:
        """How many have not ended yet."""
        return self.sent - sum(self.kinds.values())

    def add(self, outcome: Outcome, seconds: float) -> None:
        """Count a request that has ended."""
        self.kinds[outcome.kind] += 1
        if outcome.kind == "lost":
            self.losses[outcome.what] += 1
            return
        self.variants[outcome.variant][outcome.kind] += 1
        self.seconds.append(seconds)
        if outcome.kind == "error":
            self.problems[outcome.what] += 1

    def percentile(self, share: float) -> float | None:
        """The seconds within which so many of the answers came; None without any."""
        found = sorted(self.seconds)
        return found[min(len(found) - 1, int(share * len(found)))] if found else None


class Sender:
    """Sends requests while it is entered, as soon as `is_there` says that somebody is there to answer."""

    def __init__(
        self,
        ask: Callable[[], Outcome],
        is_there: Callable[[], bool],
        rate: float,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """Send `rate` a second with `ask`, which returns when its request has ended."""
        self._ask = ask
        self._is_there = is_there
        self._interval = 1.0 / rate
        self._now = now
        self._lock = threading.Lock()
        self._tally = Tally()
        self._ending = threading.Event()
        self._room = threading.Semaphore(MOST_AT_ONCE)
        self._ended_one = threading.Event()
        self._thread = threading.Thread(target=self._run, name="traffic", daemon=True)
        self._began: float | None = None
        self._ended: float | None = None

    def start(self) -> None:
        """Begin, in a thread."""
        self._thread.start()

    def finish(self, seconds: float = LAST_ANSWERS_SECONDS) -> None:
        """Send no more, and wait for the last answers; those that do not come in time stay unanswered."""
        self._ending.set()
        self._thread.join()
        end = self._now() + seconds
        while not self._is_idle() and self._now() < end:
            self._ended_one.wait(LOOK_EVERY_SECONDS)
            self._ended_one.clear()

    def stop(self) -> None:
        """Send no more, and wait for nothing."""
        self.finish(0.0)

    def tally(self) -> Tally:
        """Return a copy of the counts."""
        with self._lock:
            found = self._tally
            copied = Tally(
                found.sent, Counter(found.kinds), problems=Counter(found.problems), losses=Counter(found.losses)
            )
            copied.variants.update({name: Counter(counts) for name, counts in found.variants.items()})
            copied.seconds = list(found.seconds)
            return copied

    @property
    def lasted(self) -> float:
        """For how many seconds requests were sent."""
        if self._began is None:
            return 0.0
        return (self._now() if self._ended is None else self._ended) - self._began

    def _is_idle(self) -> bool:
        with self._lock:
            return self._tally.unanswered == 0

    def _run(self) -> None:
        while not self._is_there():
            if self._ending.wait(LOOK_EVERY_SECONDS):
                return
        self._began = due = self._now()
        while not self._ending.wait(max(0.0, due - self._now())):
            if self._room.acquire(timeout=LOOK_EVERY_SECONDS):
                self._send()
                due = max(due + self._interval, self._now() - 1.0)  # what a busy machine missed is not made up for
        self._ended = self._now()

    def _send(self) -> None:
        with self._lock:
            self._tally.sent += 1
        threading.Thread(target=self._one, name="traffic", daemon=True).start()  # one that hangs keeps nobody here

    def _one(self) -> None:
        began = self._now()
        try:
            outcome = self._ask()
        except Exception as error:  # noqa: BLE001  # whatever it is, there was no answer
            outcome = Outcome("lost", what=f"{type(error).__name__}: {error}")
        with self._lock:
            self._tally.add(outcome, self._now() - began)
        self._room.release()
        self._ended_one.set()
