"""Time as a value that is handed in: no code of modelwright asks the machine's clock itself."""

from __future__ import annotations

import threading
import time as _time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """What tells the time."""

    def now(self) -> datetime:
        """Return the time as an aware datetime in UTC."""

    def time(self) -> float:
        """Return the same time as seconds since 1970-01-01T00:00:00Z."""


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Return the machine's time, aware and in UTC."""
        return datetime.now(UTC)

    def time(self) -> float:
        """Return the machine's time as seconds since the epoch."""
        return _time.time()


class FakeClock:
    """A clock that stands still until it is moved; safe to share between threads."""

    def __init__(self, start: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        """Begin at `start`, which must be aware."""
        if start.tzinfo is None:
            raise ValueError(f"a clock starts at an aware datetime; found {start!r}")
        self._now = start.astimezone(UTC)
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """Return the time that was set last."""
        with self._lock:
            return self._now

    def time(self) -> float:
        """Return the same time as seconds since the epoch."""
        return self.now().timestamp()

    def advance(self, seconds: float) -> None:
        """Move on by `seconds`, which must not be negative."""
        if seconds < 0:
            raise ValueError(f"time does not go back; found {seconds} seconds")
        with self._lock:
            self._now += timedelta(seconds=seconds)
