"""What our servers have to reach beside AWS's stack and the empty app: the ratios, round by round."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .measure import Case

if TYPE_CHECKING:
    from collections.abc import Callable

    from .measure import Results
    from .wrk import Figures


@dataclass(frozen=True)
class Target:
    """One thing to reach."""

    kind: str
    """of server: `python` or `compiled`"""
    what: str
    found: Callable[[Results, str], float | None]
    """of a server's key; None when it was not measured, or with errors"""
    limit: float
    at_least: bool = True
    unit: str = "x"

    def met(self, figure: float) -> bool:
        """Whether this is enough."""
        return figure >= self.limit if self.at_least else figure <= self.limit

    def said(self) -> str:
        """Return the limit in words."""
        return f"{'at least' if self.at_least else 'at most'} {self.limit:g} {self.unit}"


def ratio(results: Results, case: Case, key: str, base: str, of: Callable[[Figures], float]) -> float | None:
    """Return the median over the rounds of ours by theirs; None without both, or with an error in any."""
    runs = results.runs.get(case, {})
    ours, theirs = runs.get(key, []), runs.get(base, [])
    if not ours or not theirs or any(run.errors or not run.requests for run in [*ours, *theirs]):
        return None
    return statistics.median(of(one) / of(other) for one, other in zip(ours, theirs, strict=True))


def _per_second(case: Case, base: str) -> Callable[[Results, str], float | None]:
    return lambda results, key: ratio(results, case, key, base, lambda run: run.per_second)


def _p99(case: Case, base: str) -> Callable[[Results, str], float | None]:
    return lambda results, key: ratio(results, case, key, base, lambda run: run.p99_ms)


def _start(results: Results, key: str) -> float | None:
    ours, theirs = (results.start_seconds.get(name) for name in (key, "aws"))
    return statistics.median(ours) / statistics.median(theirs) if ours and theirs else None


def _memory(results: Results, key: str) -> float | None:
    return results.memory_mib.get(key, {}).get("small")


_ONE_16 = Case(1, "csv", 16)
TARGETS = (
    Target("compiled", "requests/s of AWS's stack, 1 CSV row, 16 clients", _per_second(_ONE_16, "aws"), 30),
    Target("compiled", "requests/s of the empty app, 1 CSV row, 16 clients", _per_second(_ONE_16, "empty"), 0.45),
    Target("compiled", "p99 of AWS's stack, 1 CSV row, 16 clients", _p99(_ONE_16, "aws"), 0.1, at_least=False),
    Target("compiled", "requests/s of AWS's stack, 10,000 CSV rows", _per_second(Case(10_000, "csv", 16), "aws"), 5),
    Target("compiled", "requests/s of AWS's stack, 10,000 JSON rows", _per_second(Case(10_000, "json", 16), "aws"), 4),
    Target("compiled", "start to first 200, of AWS's stack", _start, 0.25, at_least=False),
    Target("compiled", "memory after small bodies, two workers", _memory, 120, at_least=False, unit="MiB"),
    Target("python", "requests/s of AWS's stack, 1 CSV row, 1 client", _per_second(Case(1, "csv", 1), "aws"), 1),
    Target("python", "requests/s of AWS's stack, 1 JSON row, 1 client", _per_second(Case(1, "json", 1), "aws"), 1),
    Target("python", "p99 of AWS's stack, 1 CSV row, 16 clients", _p99(_ONE_16, "aws"), 0.5, at_least=False),
    Target("python", "p99 of AWS's stack, 1 CSV row, 64 clients", _p99(Case(1, "csv", 64), "aws"), 0.5, at_least=False),
    Target("python", "gathered: requests/s of AWS's stack, 1 CSV row, 16 clients", _per_second(_ONE_16, "aws"), 5),
)
