"""Rolling deployments: the new fleet grows by a batch, the old one shrinks by as much, and an alarm turns it round.

https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-rolling.html
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Any

from modelwright.local.sagemaker.endpoints.guardrails import CutOff
from modelwright.local.sagemaker.hosting.server import ServerFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from modelwright.local.sagemaker.endpoints.guardrails import Bake
    from modelwright.local.sagemaker.hosting.fleet import Fleet, Traffic

_LIMITS = {"MaximumBatchSize": (5, 50), "RollbackMaximumBatchSize": (5, 100)}
"""percent: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_RollingUpdatePolicy.html"""


@dataclass(frozen=True)
class Batches:
    """The instances of the one variant, and how many of them change at once, there and back."""

    variant: str
    total: int
    size: int
    back: int

    @classmethod
    def of(cls, policy: Mapping[str, Any], config: Mapping[str, Any]) -> Batches:
        """Read a RollingUpdatePolicy that `rolling_problems` found nothing wrong with."""
        (variant,) = config["ProductionVariants"]
        total = int(variant["InitialInstanceCount"])
        back = policy.get("RollbackMaximumBatchSize")
        size = _instances(policy["MaximumBatchSize"], total)
        return cls(variant["VariantName"], total, size, total if back is None else _instances(back, total))


def rolling_problems(policy: Mapping[str, Any], config: Mapping[str, Any]) -> Iterator[str]:
    """Everything that is wrong with a RollingUpdatePolicy for this configuration."""
    variants = config["ProductionVariants"]
    if len(variants) != 1:
        yield f"RollingUpdatePolicy is for endpoints with one variant; found {len(variants)}."
        return
    total = int(variants[0].get("InitialInstanceCount") or 0)
    for name, (least, most) in _LIMITS.items():
        size = policy.get(name)
        if size is None:
            continue
        percent = size["Value"] if size["Type"] == "CAPACITY_PERCENT" else 100 * size["Value"] / max(1, total)
        if not least <= percent <= most or 100 * _instances(size, total) > most * total:
            found = f"{name} is {size['Value']} ({size['Type']}) of {total} instance{'s' * (total != 1)}"
            yield f"{found}; it must be {least} to {most} % of them."


def roll(
    traffic: Traffic, fleet: Fleet, batches: Batches, bake: Bake, at: Callable[[str], None] = lambda _: None
) -> None:
    """Move traffic and instances to `fleet`, which has its first batch; RolledBack, with the old fleet whole again."""
    old = traffic.fleet
    if old is None:
        fleet.resize(batches.variant, batches.total)
        traffic.route((fleet, 1.0))
        return
    before = old.count(batches.variant)
    try:
        bake.guard.check()
        _forth(traffic, old, fleet, batches, _Steps(bake, at))
    except CutOff:
        raise  # all servers end with the local cloud
    except BaseException:
        _back(traffic, old, fleet, batches, before)
        raise


@dataclass(frozen=True)
class _Steps:
    bake: Bake
    at: Callable[[str], None]


def _forth(traffic: Traffic, old: Fleet, fleet: Fleet, batches: Batches, steps: _Steps) -> None:
    before, done = old.count(batches.variant), min(batches.size, batches.total)
    while True:
        share = done / batches.total
        steps.at("ActivatingTraffic")
        traffic.route((fleet, share), (old, 1 - share))
        steps.at("Baking")
        steps.bake.wait()
        if done >= batches.total:
            return
        old.resize(batches.variant, max(1, before - ceil(share * before)))
        done = min(batches.total, done + batches.size)
        steps.at("Creating")
        fleet.resize(batches.variant, done)


def _back(traffic: Traffic, old: Fleet, fleet: Fleet, batches: Batches, before: int) -> None:
    """Let the old fleet grow again by batches, and have its share of the traffic as it does; in the end all of it."""
    try:
        for count in range(old.count(batches.variant), before, max(1, batches.back)):
            traffic.route((old, max(count, 1) / before), (fleet, 1 - max(count, 1) / before))
            old.resize(batches.variant, min(before, count + batches.back))
    except ServerFailed:
        pass  # what is left of the old fleet serves: it is better than what went off an alarm
    finally:
        traffic.route((old, 1.0))


def _instances(size: Mapping[str, Any], total: int) -> int:
    if size["Type"] == "CAPACITY_PERCENT":
        return max(1, int(size["Value"]) * total // 100)
    return int(size["Value"])
