"""Puts a configuration into service: plan, new fleet, traffic; or leaves everything as it was."""

from __future__ import annotations

import secrets
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modelwright.local.sagemaker.endpoints.deployment_rules import (
    batches,
    is_excluded,
    rollback_alarms,
    steps,
    time_limit,
    wait_interval,
)
from modelwright.local.sagemaker.endpoints.guardrails import Bake, CutOff, Guard, RolledBack, shift
from modelwright.local.sagemaker.endpoints.plan import PlanError, make_plan
from modelwright.local.sagemaker.endpoints.rolling import roll
from modelwright.local.sagemaker.hosting.fleet import Fleet, Traffic
from modelwright.local.sagemaker.hosting.members import Members, Place
from modelwright.local.sagemaker.hosting.server import ServerFailed

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Mapping

    from modelwright.local.cloud import Cloud
    from modelwright.local.sagemaker.endpoints.rehearsal import Rehearsals
    from modelwright.local.sagemaker.registry.models import Models

__all__ = ["CutOff", "Deployer", "PlanError", "RolledBack", "ServerFailed"]


@dataclass(frozen=True)
class Move:
    """An endpoint's traffic, where it is to go, and how."""

    endpoint: str
    traffic: Traffic
    fleet: Fleet
    plan: list[dict[str, Any]]
    deployment: Mapping[str, Any] | None


class Deployer:
    """Makes fleets of real server processes under `<directory>/endpoints`."""

    def __init__(self, cloud: Cloud, models: Models, rehearsals: Rehearsals) -> None:
        """`rehearsals` say how long a WaitIntervalInSeconds lasts."""
        self._cloud = cloud
        self._models = models
        self._rehearsals = rehearsals
        self._members = Members(cloud)

    def clear(self, endpoint: str = "") -> None:
        """Remove the trees that an earlier process, or an endpoint, left. No server of it lives any more."""
        shutil.rmtree(self._cloud.directory / "endpoints" / endpoint, ignore_errors=True)

    def plan(self, config: dict[str, Any]) -> list[dict[str, Any]]:
        """Resolve what the configuration serves; PlanError with the reason."""
        return make_plan(self._cloud, self._models, config)

    def fleet(self, endpoint: str, plan: list[dict[str, Any]], config: str) -> Fleet:
        """Start the servers of a configuration's plan; ServerFailed with the reason, and nothing left running."""
        place = Place(endpoint, config, secrets.token_hex(4))
        folder = place.folder(self._cloud)
        fleet = Fleet(
            plan,
            lambda variant, number: self._members.make(place, variant, number),
            lambda: shutil.rmtree(folder, ignore_errors=True),
        )
        try:
            fleet.start()
        except BaseException:
            fleet.stop(drain_seconds=0, grace_seconds=0)
            raise
        return fleet

    def shift(self, moved: Move, stopping: threading.Event, at: Callable[[str], None]) -> None:
        """Move the traffic to the new fleet as the DeploymentConfig says; RolledBack with the reason."""
        config = {"ProductionVariants": [variant for variant in moved.plan if not variant.get("Shadow")]}
        alarms = [] if is_excluded(config) else rollback_alarms(moved.deployment)
        self._rehearsals.guard(moved.endpoint, alarms)
        interval = wait_interval(moved.deployment, config)
        bake = Bake(
            Guard(self._cloud, moved.plan[0]["RoleArn"], alarms),
            self._rehearsals.seconds(moved.endpoint, interval),
            stopping,
            interval=interval,
            limit=time_limit(moved.deployment),
            counted=self._count,
            is_late=lambda: moved.traffic.oldest(moved.fleet) > self._rehearsals.minute_seconds,
        )
        rolling = batches(moved.deployment, config)
        if rolling is not None:
            roll(moved.traffic, moved.fleet, rolling, bake, at)
        else:
            shift(moved.traffic, moved.fleet, steps(moved.deployment, config), bake, at)

    def _count(self) -> None:
        services: Mapping[str, Any] = self._cloud.services
        services["sagemaker-runtime"].metrics.settle()

    def first(self, plan: list[dict[str, Any]], deployment: Mapping[str, Any] | None) -> list[dict[str, Any]]:
        """Return what of a plan is started before any traffic moves: of a rolling deployment one batch."""
        rolling = batches(deployment, {"ProductionVariants": [each for each in plan if not each.get("Shadow")]})
        if rolling is None:
            return plan
        return [{**each, "InitialInstanceCount": min(rolling.size, rolling.total)} for each in plan]
