"""The servers of one plan, and which of them gets a request."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from modelwright.local.sagemaker.hosting.server import STOP_SECONDS, ServerFailed
from modelwright.local.sagemaker.hosting.variant import Host, Member, Variant

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

DRAIN_SECONDS = 65
"""no request takes longer: the model server ends one after 60 s, and who asks it waits for 62"""
__all__ = ["Fleet", "Host", "Member", "Traffic"]


class Fleet:
    """All servers of one deployment: the production variants', and a shadow's."""

    def __init__(
        self,
        plan: Sequence[dict[str, Any]],
        make: Callable[[dict[str, Any], int], Member],
        tidy: Callable[[], None] = lambda: None,
    ) -> None:
        """Make the servers of each variant with `make(variant, number)`; none is started yet.

        `tidy` is called when all of them have ended.
        """
        self._all = [Variant(variant, make) for variant in plan]
        self._variants = [variant for variant in self._all if not variant.shadow]
        self._busy: Counter[Member] = Counter()
        self._lock = threading.Condition()
        self._resizing = threading.Lock()
        self._stopped = False
        self._tidy = tidy

    @property
    def variants(self) -> list[str]:
        """The production variants' names, in the configuration's order."""
        return [variant.name for variant in self._variants]

    @property
    def members(self) -> list[Member]:
        """All servers, the shadow's too."""
        return [member for variant in self._all for member in variant.members]

    def start(self) -> None:
        """Start all servers at once; ServerFailed with the first one's reason when one of them does not serve."""
        _start([(variant, member) for variant in self._all for member in variant.first])

    def take(self, variant: str | None, target: str | None = None) -> Member:
        """Lend a server for one request, until `give_back`: of that variant, or of one drawn by weight.

        KeyError for a variant that the fleet does not have; AwsError ThrottlingException for a serverless one that has
        as many requests as it may have. `target` is the model that is asked, where there are several.
        """
        with self._lock:
            member = self._choose(variant).choose(target, self._busy)
            self._busy[member] += 1
        return member

    def take_shadow(self) -> Member | None:
        """Lend a shadow's server for a copy of a request, if the draw says that this one is copied."""
        with self._lock:
            for variant in self._all:
                if variant.shadow and random.random() < variant.weight / self._weight():  # noqa: S311  # a sample
                    member = variant.choose(None, self._busy)
                    self._busy[member] += 1
                    return member
        return None

    def give_back(self, member: Member) -> None:
        """A request of `take` or `take_shadow` has ended."""
        with self._lock:
            self._busy[member] -= 1
            if self._busy[member] <= 0:
                del self._busy[member]
            self._lock.notify_all()

    def count(self, variant: str) -> int:
        """Return how many members a variant has; 0 of one that is not here: a fleet before this one had it."""
        with self._lock:
            return sum(len(each.members) for each in self._all if each.name == variant)

    def in_use(self, variant: str) -> int:
        """Return how many requests a variant has at this moment."""
        with self._lock:
            return sum(self._busy[member] for member in self._named(variant).members)

    def weigh(self, weights: Mapping[str, float]) -> None:
        """Change what share of the requests variants get, from the next one on."""
        with self._lock:
            for name, weight in weights.items():
                self._named(name).weight = weight

    def limit(self, variant: str, concurrency: int) -> None:
        """Change how many requests a serverless variant takes at once."""
        with self._lock:
            self._named(variant).concurrency = concurrency

    def resize(self, variant: str, count: int) -> None:
        """Start servers, or end some that have nothing to do any more, until the variant has `count`.

        ServerFailed with the reason when a new one does not serve; then there are as many as before. Also when all of
        them were stopped meanwhile.
        """
        found = self._named(variant)
        with self._resizing:
            more = found.grown(count)
            try:
                _start([(found, member) for member in more])
            except BaseException:
                _stop(more, 0)
                raise
            with self._lock:
                stopped = self._stopped
                superfluous = more if stopped else found.adopt(more, count)
                self._lock.wait_for(lambda: not any(self._busy[each] for each in superfluous), DRAIN_SECONDS)
            _stop(superfluous, STOP_SECONDS)
            if stopped:
                self._tidy()
                raise ServerFailed("the endpoint ends")

    def stop(self, drain_seconds: float = DRAIN_SECONDS, grace_seconds: float = STOP_SECONDS) -> None:
        """Wait for the requests that are under way, then end all servers. New requests must go elsewhere by now."""
        with self._lock:
            self._lock.wait_for(lambda: not self._busy, drain_seconds)
            self._stopped = True
            members = self.members
        _stop(members, grace_seconds)
        self._tidy()

    def _choose(self, name: str | None) -> Variant:
        if name is None:
            weights = [variant.weight for variant in self._variants]
            return random.choices(self._variants, weights)[0]  # noqa: S311  # shares of traffic, no secret
        return {variant.name: variant for variant in self._variants}[name]

    def _weight(self) -> float:
        return sum(variant.weight for variant in self._variants) or 1.0

    def _named(self, name: str) -> Variant:
        return {variant.name: variant for variant in self._all}[name]


class Traffic:
    """Which fleet gets how many of an endpoint's requests. A fleet that is taken out gets none from then on."""

    def __init__(self) -> None:
        """Nothing serves yet."""
        self._lock = threading.Lock()
        self._shares: list[tuple[Fleet, float]] = []
        self._under_way: dict[object, tuple[Fleet, float]] = {}
        self.starting = threading.Lock()
        """held by whoever starts the fleet of an endpoint that has none yet"""
        self.closed = False

    @property
    def fleet(self) -> Fleet | None:
        """The fleet with the largest share."""
        with self._lock:
            return max(self._shares, key=lambda share: share[1])[0] if self._shares else None

    def route(self, *shares: tuple[Fleet, float]) -> None:
        """Send each fleet its share of the requests (0 to 1); none of them any once this is `closed`."""
        with self._lock:
            self._shares = [] if self.closed else [share for share in shares if share[1] > 0]

    def oldest(self, fleet: Fleet) -> float:
        """Return for how many seconds the oldest request that this fleet works on has been under way; 0 without any."""
        with self._lock:
            began = [began for each, began in self._under_way.values() if each is fleet]
        return time.monotonic() - min(began) if began else 0.0

    def close(self) -> list[Fleet]:
        """Take all fleets out for good; returns them, to be stopped."""
        with self._lock:
            self.closed = True
            shares, self._shares = self._shares, []
        return [fleet for fleet, _ in shares]

    @contextmanager
    def lend(self, variant: str | None, target: str | None = None) -> Iterator[Member]:
        """Lend a server for one request; choosing and counting are one step, so that no fleet ends in between."""
        with self.borrow(variant, target) as (_, member):
            yield member

    @contextmanager
    def borrow(self, variant: str | None, target: str | None = None) -> Iterator[tuple[Fleet, Member]]:
        """Like `lend`, and say which fleet it is of."""
        with self._lock:
            if not self._shares:
                raise ServerFailed("nothing serves")
            fleets = [fleet for fleet, _ in self._shares]
            fleet = random.choices(fleets, [share for _, share in self._shares])[0]  # noqa: S311  # as above
            member = fleet.take(variant, target)
            request = object()
            self._under_way[request] = (fleet, time.monotonic())
        try:
            yield fleet, member
        finally:
            fleet.give_back(member)
            with self._lock:
                del self._under_way[request]


def _start(members: Sequence[tuple[Variant, Member]]) -> None:
    with ThreadPoolExecutor(max_workers=max(1, len(members))) as pool:
        for variant, future in [(variant, pool.submit(member.server.start)) for variant, member in members]:
            error = future.exception()
            if error is not None:
                raise ServerFailed(f"{variant.why_not} {error}") from error


def _stop(members: Sequence[Member], grace_seconds: float) -> None:
    with ThreadPoolExecutor(max_workers=max(1, len(members))) as pool:
        list(pool.map(lambda member: member.server.stop(grace_seconds), members))
