"""A rehearsal: while a command sends requests to an endpoint, its updates bake, in minutes that are shorter.

Nobody sends traffic to a laptop, so an update here has nothing to wait for; and with traffic nobody waits ten minutes
to see that a model is good. So while somebody says that requests are on their way (`modelwright run --traffic`), a
minute lasts three seconds for the baking periods of that endpoint's updates and for the alarms that roll them back.
Their definitions decide, with their thresholds, statistics and numbers of periods; nothing else of time is changed.
"""

from __future__ import annotations

import math
import os
from collections import Counter
from threading import Lock
from typing import TYPE_CHECKING, Any

from modelwright.errors import ModelwrightError
from modelwright.local.monitoring.alarms import MINUTE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from modelwright.local.cloud import Cloud

BAKE_VARIABLE = "MODELWRIGHT_LONGEST_BAKE_SECONDS"
"""how long a WaitIntervalInSeconds is really waited for outside a rehearsal; without it not at all"""
MINUTE_VARIABLE = "MODELWRIGHT_MINUTE_SECONDS"
"""how long a minute lasts in a rehearsal; 60 is AWS's time"""
REHEARSED_MINUTE_SECONDS = 3.0
SHORTEST_MINUTE_SECONDS = 0.5


def _seconds(settings: Mapping[str, str], name: str, default: float) -> float:
    text = settings.get(name)
    if text is None:
        return default
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not (found >= 0 and math.isfinite(found)):
        raise ModelwrightError(f"{name} is {text!r}; it must be a number of seconds.")
    return found


class Rehearsals:
    """Which endpoints are rehearsed, by how many."""

    def __init__(self, cloud: Cloud, settings: Mapping[str, str] = os.environ) -> None:
        """Nothing is rehearsed yet."""
        self._cloud = cloud
        self._lock = Lock()
        self._count: Counter[str] = Counter()
        self._guards: dict[str, set[str]] = {}
        self._scaling: dict[str, set[str]] = {}
        self._longest = _seconds(settings, BAKE_VARIABLE, 0.0)
        self.minute_seconds = _seconds(settings, MINUTE_VARIABLE, REHEARSED_MINUTE_SECONDS)
        if self.minute_seconds < SHORTEST_MINUTE_SECONDS:
            raise ModelwrightError(
                f"{MINUTE_VARIABLE} is {self.minute_seconds:g}; it must be {SHORTEST_MINUTE_SECONDS:g} seconds or more."
            )

    def begin(self, endpoint: str) -> None:
        """Requests are on their way to this endpoint, until `end`."""
        with self._lock:
            self._count[endpoint] += 1
            self._pace_all(endpoint, self.minute_seconds)

    def end(self, endpoint: str) -> None:
        """One that had said `begin` sends no more."""
        with self._lock:
            self._count[endpoint] -= 1
            if self._count[endpoint] <= 0:
                del self._count[endpoint]
                self._pace_all(endpoint, MINUTE_SECONDS)

    def guard(self, endpoint: str, alarms: Iterable[str]) -> None:
        """These alarms roll an update of the endpoint back: in its rehearsals they go by the shorter minutes."""
        with self._lock:
            self._guards.setdefault(endpoint, set()).update(alarms)
            if self._count[endpoint] > 0:
                self._pace(self._guards[endpoint], self.minute_seconds)

    def minute_of(self, endpoint: str) -> float:
        """Return how long a minute of this endpoint lasts at this moment."""
        with self._lock:
            return self.minute_seconds if self._count[endpoint] > 0 else MINUTE_SECONDS

    def seconds(self, endpoint: str, interval: float) -> float:
        """Return how long a baking period of so many seconds lasts here."""
        with self._lock:
            rehearsed = self._count[endpoint] > 0
        return interval * self.minute_seconds / MINUTE_SECONDS if rehearsed else min(interval, self._longest)

    def _pace_all(self, endpoint: str, minute_seconds: float) -> None:
        """Also the alarms that scale the endpoint by an average: what waits is as much in any minute.

        Those that have gone, too: one of the same name may come again, for another minute.
        """
        services: Mapping[str, Any] = self._cloud.services
        scaling = self._scaling.setdefault(endpoint, set())
        scaling.update(services["cloudwatch"].scaling_by_average(f"/endpoint/{endpoint}/"))
        self._pace([*self._guards.get(endpoint, ()), *scaling], minute_seconds)

    def _pace(self, alarms: Iterable[str], minute_seconds: float) -> None:
        services: Mapping[str, Any] = self._cloud.services
        if alarms:
            services["cloudwatch"].pace(alarms, minute_seconds)
