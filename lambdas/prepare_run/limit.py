"""How many runs a day may have. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_KEPT_DAYS = 8


@dataclass(frozen=True)
class Day:
    """The day, by UTC, that a run counts for: that of its execution's start, whenever it is counted."""

    began: datetime

    @classmethod
    def of(cls, started_at: str) -> Day:
        """The day of a moment like `2026-11-21T10:00:00.123Z`."""
        moment = datetime.fromisoformat(started_at).astimezone(UTC)
        return cls(moment.replace(hour=0, minute=0, second=0, microsecond=0))

    @property
    def name(self) -> str:
        """`2026-11-21`."""
        return self.began.date().isoformat()

    @property
    def over(self) -> datetime:
        """When the next one begins."""
        return self.began + timedelta(days=1)

    @property
    def forgotten(self) -> int:
        """When its count is of no use any more, in seconds since 1970."""
        return int((self.began + timedelta(days=_KEPT_DAYS)).timestamp())


def refusal(pipeline: str, environment: str, limit: int, day: Day) -> str:
    """What whoever waits for the run reads."""
    return (
        f"{pipeline} has had its runs of {day.name} (UTC): limits.max_runs_per_day in "
        f"environments/{environment}.yaml is {limit}. The next may start at {day.over:%Y-%m-%dT%H:%M:%SZ}; "
        "a higher limit there holds from the next deploy on."
    )
