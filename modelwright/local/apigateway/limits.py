"""How often: a bucket of tokens for each second's rate and its burst, and a count for each day.

https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-request-throttling.html
"""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from modelwright.clock import Clock
    from modelwright.local.store.database import Database

_USAGE = "api-usage"


class Bucket:
    """A token bucket: `burst` requests at once, `rate` a second in the long run."""

    def __init__(self, clock: Clock, rate: float, burst: int) -> None:
        self._clock = clock
        self._rate, self._burst = rate, burst
        self._tokens, self._at = float(burst), clock.time()
        self._lock = threading.Lock()

    def take(self) -> bool:
        """Take a token; False when there is none."""
        with self._lock:
            now = self._clock.time()
            self._tokens = min(self._burst, self._tokens + max(0.0, now - self._at) * self._rate)
            self._at = now
            if self._tokens < 1:
                return False
            self._tokens -= 1
            return True


class Usage:
    """How many requests each key of a plan has made, by days of UTC; kept between starts."""

    def __init__(self, clock: Clock, database: Database) -> None:
        self._clock, self._database = clock, database
        self._lock = threading.Lock()

    def count(self, plan: str, key: str, limit: int | None) -> bool:
        """Count a request; False, and nothing is counted, when the quota of the day is used up."""
        where = f"{plan}/{key}/{self.today()}"
        with self._lock:
            used = self.used(plan, key, self.today())
            if limit is not None and used >= limit:
                return False
            self._database.put(_USAGE, where, {"used": used + 1})
            return True

    def used(self, plan: str, key: str, day: str) -> int:
        """How many requests a key made on a day."""
        return int((self._database.get(_USAGE, f"{plan}/{key}/{day}") or {}).get("used", 0))

    def today(self) -> str:
        """The day, `2026-11-21`."""
        return datetime.fromtimestamp(self._clock.time(), UTC).date().isoformat()
