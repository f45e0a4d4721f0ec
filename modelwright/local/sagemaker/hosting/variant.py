"""The members of one variant, and which of them a request goes to."""

from __future__ import annotations

import itertools
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from modelwright.local.sagemaker.hosting.readiness import ServerFailed
from modelwright.local.service import AwsError

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager

    from modelwright.local.sagemaker.hosting.server import Server

Value = tuple[str, float, str]
"""a metric's name, value and unit"""
MOST_CONTAINERS = 4
"""of a serverless variant on this machine; more requests at once share them, up to its MaxConcurrency"""


class Host(Protocol):
    """What serves a member's requests."""

    @property
    def servers(self) -> Sequence[Server]:
        """The model servers that run now."""

    def start(self) -> None:
        """Start; ServerFailed with the reason when it does not serve."""

    def serving(self, target: str | None) -> AbstractContextManager[Server]:
        """Lend a model server for one request, made ready first if need be."""

    def stop(self, grace_seconds: float = ...) -> None:
        """End everything."""


@dataclass(frozen=True)
class Member:
    """One member of a fleet and its log stream, `<variant>/<instance id>` as on AWS."""

    variant: str
    stream: str
    server: Host
    config: str = ""
    """the endpoint configuration that it serves"""
    plan: Mapping[str, Any] = field(default_factory=dict, compare=False)
    """its variant's part of the plan"""


class Variant:
    """One variant of a plan. Whoever changes or asks it while it serves holds the fleet's lock."""

    def __init__(self, plan: dict[str, Any], make: Callable[[dict[str, Any], int], Member]) -> None:
        """Make its members; none is started."""
        self._plan = plan
        self._make = make
        self._numbers = itertools.count()
        self._turn = itertools.count()
        self.name: str = plan["VariantName"]
        self.weight: float = plan["InitialVariantWeight"]
        self.shadow = bool(plan.get("Shadow"))
        serverless = plan.get("Serverless")
        self.concurrency: int | None = serverless["MaxConcurrency"] if serverless else None
        count = plan["InitialInstanceCount"] if serverless is None else min(self.concurrency or 1, MOST_CONTAINERS)
        self.members: list[Member] = []
        self.members = self.grown(count)

    @property
    def first(self) -> list[Member]:
        """The members that are started with the endpoint: of a serverless variant one, which shows that it serves."""
        return self.members if self.concurrency is None else self.members[:1]

    @property
    def why_not(self) -> str:
        """What AWS says of a variant that does not serve.

        Serverless: https://docs.aws.amazon.com/sagemaker/latest/dg/serverless-endpoints-troubleshooting.html
        """
        if self.concurrency is not None:
            return (
                "Unable to successfully stand up your model within the allotted 180 second timeout. Please ensure that "
                "downloading your model artifacts, starting your model container and passing the ping health checks "
                "can be completed within 180 seconds."
            )
        return f"The primary container for production variant {self.name} did not pass the ping health check."

    def grown(self, count: int) -> list[Member]:
        """Make the members that are missing from `count`; they are none of its own before `adopt`."""
        return [self._make(self._plan, next(self._numbers)) for _ in range(count - len(self.members))]

    def adopt(self, more: Sequence[Member], count: int) -> list[Member]:
        """Take members in; return those beyond `count`, which get no request from now on."""
        members = [*self.members, *more]
        self.members = members[:count]
        return members[count:]

    def choose(self, target: str | None, busy: Counter[Member]) -> Member:
        """Return the member that gets the next request."""
        if not self.members:
            raise ServerFailed(f"variant {self.name} has no instance")
        if self.concurrency is not None:
            return self._choose_container(self.concurrency, busy)
        if target is not None:  # always the same one, so that a model is not loaded everywhere
            return self.members[zlib.crc32(target.encode()) % len(self.members)]
        if self._plan.get("Routing") == "LEAST_OUTSTANDING_REQUESTS":
            least = min(busy[member] for member in self.members)
            free = [member for member in self.members if busy[member] == least]
            return free[next(self._turn) % len(free)]
        return self.members[next(self._turn) % len(self.members)]

    def _choose_container(self, concurrency: int, busy: Counter[Member]) -> Member:
        """A container that is up and idle, else one that is not up, else the one with the fewest requests."""
        if sum(busy[member] for member in self.members) >= concurrency:
            message = f"Variant {self.name} has {concurrency} requests already, which is its MaxConcurrency."
            raise AwsError("ThrottlingException", message)
        return min(self.members, key=lambda member: (busy[member], not member.server.servers))
