"""The state that data points make, with some of them missing. Pure.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

MORE_PERIODS = 2
"""CloudWatch retrieves more periods than are evaluated: "The exact number … depends on the length of the alarm period".
Its page shows 5 for 3; other numbers are not said, so it is two more here for all."""


@dataclass(frozen=True)
class Judgement:
    """What an alarm asks of its data points."""

    needed: int
    """Datapoints to Alarm."""
    evaluated: int
    """Evaluation Periods."""
    treatment: str
    """Of missing data: `missing`, `notBreaching`, `breaching` or `ignore`."""
    before: str
    """The state until now."""

    @property
    def range(self) -> int:
        """How many periods are looked at, in case that some of the last ones have no data."""
        return self.evaluated + MORE_PERIODS


@dataclass(frozen=True)
class Verdict:
    """The state, and what it was made of."""

    state: str
    used: tuple[int, ...]
    """The points that count, as indices, oldest first."""
    breaching: tuple[int, ...] = ()
    """Those of them that breach the threshold."""
    filled: int = 0
    """How many missing ones count as the treatment says."""


def judge(points: Sequence[bool | None], asked: Judgement) -> Verdict:
    """Judge the points of an evaluation range, oldest first: breaching, not breaching, or None for missing.

    Real points count as far as the range goes back; missing ones only where real ones do not suffice.
    """
    real = [index for index, point in enumerate(points) if point is not None]
    used = tuple(real[-asked.evaluated :])
    breached = tuple(index for index in used if points[index])
    breaching = len(breached)
    filled = asked.evaluated - len(used)
    counted = breaching + (filled if asked.treatment == "breaching" else 0)
    if counted >= asked.needed:
        return Verdict("ALARM", used, breached, filled)
    decided = filled == 0 or asked.treatment in {"breaching", "notBreaching"} or breaching < len(used)
    state = "OK" if decided else _undecided(asked, len(points) - used[0] if used else 0)
    return Verdict(state, used, breached, filled)


def _undecided(asked: Judgement, age: int) -> str:
    """Breaching points only, and too few; the oldest is of `age` periods ago, 0 without any.

    "the alarm goes into ALARM state even if the total number of datapoints available is lower than M" when that point
    "is at least as old as the value of Datapoints to Alarm": what the page calls the premature alarm state.
    """
    if asked.treatment == "ignore":
        return asked.before
    if age == 0:
        return "INSUFFICIENT_DATA"
    return "ALARM" if age >= asked.needed else "OK"
