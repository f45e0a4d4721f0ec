"""The machine's clock, moved on when a test says so: what is alive goes on living meanwhile."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from modelwright.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import Iterator


class SkewedClock(SystemClock):
    """As far ahead of the machine's clock as it was told."""

    def __init__(self) -> None:
        self._ahead = timedelta()

    def now(self) -> datetime:
        return super().now() + self._ahead

    def time(self) -> float:
        return super().time() + self._ahead.total_seconds()

    def advance(self, **time: float) -> None:
        """Move on, as `timedelta` takes it."""
        self._ahead += timedelta(**time)

    @contextmanager
    def later(self, **time: float) -> Iterator[None]:
        """Move on for the length of the block."""
        before = self._ahead
        self.advance(**time)
        try:
            yield
        finally:
            self._ahead = before
