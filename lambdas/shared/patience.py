"""Looking again and again for a short while: soon at first, then more and more seldom."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FIRST_PAUSE_SECONDS = 0.02
GROWTH = 1.25
LONGEST_PAUSE_SECONDS = 1.0


def pauses(total_seconds: float) -> Iterator[float]:
    """The pauses between looks: about 20 looks in 10 s, each a quarter later than the one before it."""
    pause, spent = FIRST_PAUSE_SECONDS, 0.0
    while spent + pause <= total_seconds:
        yield pause
        spent += pause
        pause = min(pause * GROWTH, LONGEST_PAUSE_SECONDS)


def pauses_until(end: float, now: Callable[[], float]) -> Iterator[float]:
    """The same pauses until a moment of a clock: what is done between them counts."""
    pause = FIRST_PAUSE_SECONDS
    while now() + pause <= end:
        yield pause
        pause = min(pause * GROWTH, LONGEST_PAUSE_SECONDS)
