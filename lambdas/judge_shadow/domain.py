"""Whether a model that got copies of the requests may answer them. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

MICROSECONDS_A_MS = 1000
QUIET_REQUESTS = 20
"""Counted as answered well: one error among few copies is no bad model, as it is none for the endpoint's alarms."""


@dataclass(frozen=True)
class Levels:
    """From where on a model is bad: the endpoint's own alarms."""

    error_percent: float
    latency_ms: float


@dataclass(frozen=True)
class Watched:
    """What the shadow did while it was looked at, and how much the model that serves was asked."""

    requests: int
    errors: int
    latency_ms: float | None
    """99th percentile of the model's own latency; None without an answer."""
    served: int


def judge(watched: Watched, levels: Levels) -> dict[str, Any]:
    """Return whether the model may answer, and why not; without any request there is nothing against it."""
    problems = []
    share = 100 * watched.errors / (watched.requests + QUIET_REQUESTS)
    if share > levels.error_percent:
        problems.append(
            f"{watched.errors} of {watched.requests} answers in the shadow were errors (5xx), {share:.1f} % with "
            f"{QUIET_REQUESTS} good ones counted besides; {levels.error_percent:g} % are allowed"
        )
    if watched.latency_ms is not None and watched.latency_ms > levels.latency_ms:
        problems.append(
            f"one answer in the shadow in a hundred took more than {watched.latency_ms:.0f} ms; "
            f"{levels.latency_ms:g} ms are allowed"
        )
    if watched.served > QUIET_REQUESTS and not watched.requests:
        problems.append(f"the endpoint answered {watched.served} requests, and the shadow not one")
    found = {"requests": watched.requests, "errors": watched.errors, "latencyMs": watched.latency_ms or 0}
    return {"good": not problems, "reason": "; ".join(problems) or _well(watched), **found}


def _well(watched: Watched) -> str:
    if not watched.requests:
        return "nobody asked the endpoint meanwhile, so its shadow was not asked either"
    return f"{watched.requests} answers in the shadow, {watched.errors} of them errors"
