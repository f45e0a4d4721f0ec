"""The servers of one plan, and which of them gets a request."""

from __future__ import annotations

import itertools
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from modelwright.local.sagemaker.endpoint_server import STOP_SECONDS, Server, ServerFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

DRAIN_SECONDS = 60
"""no request takes longer"""


@dataclass(frozen=True)
class Member:
    """One server of a fleet and its log stream, `<variant>/<instance id>` as on AWS."""

    variant: str
    stream: str
    server: Server
    config: str = ""
    """the endpoint configuration that it serves"""


@dataclass
class _Variant:
    name: str
    weight: float
    members: list[Member]
    turn: Iterator[int] = field(default_factory=itertools.count)


class Fleet:
    """All servers of one deployment."""

    def __init__(self, plan: Sequence[dict[str, Any]], make: Callable[[dict[str, Any], int], Member]) -> None:
        """Make the servers of each variant with `make(variant, number)`; none is started yet."""
        self._variants = [
            _Variant(
                v["VariantName"], v["InitialVariantWeight"], [make(v, n) for n in range(v["InitialInstanceCount"])]
            )
            for v in plan
        ]
        self._in_flight = 0
        self._idle = threading.Condition()

    @property
    def variants(self) -> list[str]:
        """The variants' names, in the configuration's order."""
        return [variant.name for variant in self._variants]

    @property
    def members(self) -> list[Member]:
        """All servers."""
        return [member for variant in self._variants for member in variant.members]

    def start(self) -> None:
        """Start all servers at once; ServerFailed with the first one's reason when one of them does not serve."""
        members = [(variant.name, member) for variant in self._variants for member in variant.members]
        with ThreadPoolExecutor(max_workers=len(members)) as pool:
            started = [(name, pool.submit(member.server.start)) for name, member in members]
            for name, future in started:
                error = future.exception()
                if error is not None:
                    raise ServerFailed(
                        f"The primary container for production variant {name} did not pass the ping health check. "
                        f"{error}"
                    ) from error

    def take(self, variant: str | None) -> Member:
        """Lend a server for one request, until `give_back`: of that variant, or of one drawn by weight.

        KeyError for a variant that the fleet does not have.
        """
        member = self._choose(variant)
        with self._idle:
            self._in_flight += 1
        return member

    def give_back(self) -> None:
        """A request of `take` has ended."""
        with self._idle:
            self._in_flight -= 1
            self._idle.notify_all()

    def stop(self, drain_seconds: float = DRAIN_SECONDS, grace_seconds: float = STOP_SECONDS) -> None:
        """Wait for the requests that are under way, then end all servers. New requests must go elsewhere by now."""
        with self._idle:
            self._idle.wait_for(lambda: self._in_flight == 0, drain_seconds)
        members = [member for variant in self._variants for member in variant.members]
        with ThreadPoolExecutor(max_workers=len(members)) as pool:
            list(pool.map(lambda member: member.server.stop(grace_seconds), members))

    def _choose(self, name: str | None) -> Member:
        if name is None:
            weights = [variant.weight for variant in self._variants]
            variant = random.choices(self._variants, weights)[0]  # noqa: S311  # shares of traffic, no secret
        else:
            variant = {variant.name: variant for variant in self._variants}[name]
        return variant.members[next(variant.turn) % len(variant.members)]


class Traffic:
    """Which fleet gets how many of an endpoint's requests. A fleet that is taken out gets none from then on."""

    def __init__(self) -> None:
        """Nothing serves yet."""
        self._lock = threading.Lock()
        self._shares: list[tuple[Fleet, float]] = []
        self.starting = threading.Lock()
        """held by whoever starts the fleet of an endpoint that has none yet"""
        self.closed = False

    @property
    def fleet(self) -> Fleet | None:
        """The fleet with the largest share."""
        with self._lock:
            return max(self._shares, key=lambda share: share[1])[0] if self._shares else None

    def route(self, *shares: tuple[Fleet, float]) -> None:
        """Send each fleet its share of the requests (0 to 1)."""
        with self._lock:
            self._shares = [share for share in shares if share[1] > 0]

    def close(self) -> list[Fleet]:
        """Take all fleets out for good; returns them, to be stopped."""
        with self._lock:
            self.closed = True
            shares, self._shares = self._shares, []
        return [fleet for fleet, _ in shares]

    @contextmanager
    def lend(self, variant: str | None) -> Iterator[Member]:
        """Lend a server for one request; choosing and counting are one step, so that no fleet ends in between."""
        with self._lock:
            if not self._shares:
                raise ServerFailed("nothing serves")
            fleets = [fleet for fleet, _ in self._shares]
            fleet = random.choices(fleets, [share for _, share in self._shares])[0]  # noqa: S311  # as above
            member = fleet.take(variant)
        try:
            yield member
        finally:
            fleet.give_back()
