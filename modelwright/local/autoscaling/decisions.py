"""How many instances a policy wants. Pure.

https://docs.aws.amazon.com/autoscaling/application/userguide/target-tracking-scaling-policy-overview.html
https://docs.aws.amazon.com/autoscaling/application/userguide/step-scaling-policy-overview.html
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor, inf
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_COOLDOWN_SECONDS = 300
"""of endpoint variants, in and out:
https://docs.aws.amazon.com/autoscaling/application/APIReference/API_TargetTrackingScalingPolicyConfiguration.html"""


@dataclass(frozen=True)
class Limits:
    """Between how many instances a target may have, and how many it has."""

    least: int
    most: int
    current: int

    def within(self, wanted: int) -> int:
        """Return the allowed number that is nearest."""
        return max(self.least, min(self.most, wanted))


@dataclass(frozen=True)
class Last:
    """The last time that a target scaled in one direction."""

    at: float = -inf
    wanted: int = 0
    before: int = 0
    """how many instances there were before"""

    def cools_down(self, cooldown: float, now: float) -> bool:
        """Whether what was done then is to take effect first."""
        return now - self.at < cooldown


def track(configuration: Mapping[str, Any], value: float, limits: Limits) -> int:
    """Return what target tracking wants where its metric has this value for each instance.

    Instances that are not there are counted as one: what waits for an endpoint without any is the whole queue.
    """
    wanted = ceil(max(1, limits.current) * value / configuration["TargetValue"] - 1e-9)
    return limits.within(wanted)


def step(configuration: Mapping[str, Any], breach: float, limits: Limits, cooling: Last | None = None) -> int:
    """Return what step scaling wants where its alarm's threshold is passed by `breach`.

    A breach in no step changes nothing. What the scale-out added that is `cooling` down counts as part of what is
    wanted now, so the same step adds nothing meanwhile, and a larger one the difference:
    https://docs.aws.amazon.com/autoscaling/application/APIReference/API_StepScalingPolicyConfiguration.html
    """
    for each in configuration.get("StepAdjustments", ()):
        lower, upper = each.get("MetricIntervalLowerBound", -inf), each.get("MetricIntervalUpperBound", inf)
        if lower <= breach < upper or (breach < 0 and lower < breach <= upper):
            wanted = _adjusted(configuration, each["ScalingAdjustment"], limits.current)
            if cooling is not None and wanted > limits.current:
                base = min(limits.current, cooling.before)
                wanted = max(limits.current, _adjusted(configuration, each["ScalingAdjustment"], base))
            return limits.within(wanted)
    return limits.current


def may_scale_out(wanted: int, current: int, last: Last, cooldown: float, now: float) -> bool:
    """Say whether to add instances now: while the last ones cool down only if more are wanted than then."""
    return wanted > current and (not last.cools_down(cooldown, now) or wanted > last.wanted)


def may_scale_in(wanted: int, current: int, last: Last, cooldown: float, now: float) -> bool:
    """Say whether to remove instances now: not while the last removal cools down."""
    return wanted < current and not last.cools_down(cooldown, now)


def cooldown(policy: Mapping[str, Any], direction: str) -> float:
    """Return how long a policy waits after it scaled `Out` or `In`."""
    tracking = policy.get("TargetTrackingScalingPolicyConfiguration")
    if tracking is not None:
        return float(tracking.get(f"Scale{direction}Cooldown", DEFAULT_COOLDOWN_SECONDS))
    return float(policy["StepScalingPolicyConfiguration"].get("Cooldown", DEFAULT_COOLDOWN_SECONDS))


def _adjusted(configuration: Mapping[str, Any], adjustment: int, current: int) -> int:
    kind = configuration.get("AdjustmentType")
    if kind == "ExactCapacity":
        return int(adjustment)
    if kind == "PercentChangeInCapacity":
        exact = current * adjustment / 100
        change = (
            floor(exact) if exact > 1 else ceil(exact) if exact > 0 else floor(exact) if exact > -1 else ceil(exact)
        )
        least = configuration.get("MinAdjustmentMagnitude", 0)
        change = max(change, least) if adjustment > 0 else min(change, -least)
        return int(current + change)
    return int(current + adjustment)
