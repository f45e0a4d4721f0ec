"""Puts a configuration into service: plan, new fleet, traffic; or leaves everything as it was."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modelwright.local.sagemaker.endpoint_fleet import Fleet, Member, Traffic
from modelwright.local.sagemaker.endpoint_guardrails import Bake, Guard, RolledBack, shift
from modelwright.local.sagemaker.endpoint_plan import PlanError, make_plan, may_log
from modelwright.local.sagemaker.endpoint_rules import is_excluded, rollback_alarms, steps, time_limit, wait_interval
from modelwright.local.sagemaker.endpoint_server import Server, ServerFailed, ServerSpec
from modelwright.local.sagemaker.job_process import role_environment

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Mapping

    from modelwright.local.cloud import Cloud
    from modelwright.local.sagemaker.endpoint_rehearsal import Rehearsals
    from modelwright.local.sagemaker.models import Models

__all__ = ["Deployer", "PlanError", "RolledBack", "ServerFailed"]


@dataclass(frozen=True)
class Move:
    """An endpoint's traffic, where it is to go, and how."""

    endpoint: str
    traffic: Traffic
    fleet: Fleet
    plan: list[dict[str, Any]]
    deployment: Mapping[str, Any] | None


@dataclass(frozen=True)
class Place:
    """What a server belongs to."""

    endpoint: str
    config: str
    deployment: str


class Deployer:
    """Makes fleets of real server processes under `<directory>/endpoints`."""

    def __init__(self, cloud: Cloud, models: Models, rehearsals: Rehearsals) -> None:
        """`rehearsals` say how long a WaitIntervalInSeconds lasts."""
        self._cloud = cloud
        self._models = models
        self._rehearsals = rehearsals

    def clear(self) -> None:
        """Remove the trees that an earlier process left. No server of it lives any more."""
        shutil.rmtree(self._cloud.directory / "endpoints", ignore_errors=True)

    def plan(self, config: dict[str, Any]) -> list[dict[str, Any]]:
        """Resolve what the configuration serves; PlanError with the reason."""
        return make_plan(self._cloud, self._models, config)

    def fleet(self, endpoint: str, plan: list[dict[str, Any]], config: str) -> Fleet:
        """Start the servers of a configuration's plan; ServerFailed with the reason, and nothing left running."""
        place = Place(endpoint, config, secrets.token_hex(4))
        fleet = Fleet(plan, lambda variant, number: self._member(place, variant, number))
        try:
            fleet.start()
        except BaseException:
            fleet.stop(drain_seconds=0, grace_seconds=0)
            raise
        return fleet

    def shift(self, moved: Move, stopping: threading.Event, at: Callable[[str], None]) -> None:
        """Move the traffic to the new fleet as the DeploymentConfig says; RolledBack with the reason."""
        config = {"ProductionVariants": moved.plan}
        alarms = [] if is_excluded(config) else rollback_alarms(moved.deployment)
        self._rehearsals.guard(moved.endpoint, alarms)
        interval = wait_interval(moved.deployment, config)
        bake = Bake(
            Guard(self._cloud, moved.plan[0]["RoleArn"], alarms),
            self._rehearsals.seconds(moved.endpoint, interval),
            stopping,
            interval=interval,
            limit=time_limit(moved.deployment),
        )
        shift(moved.traffic, moved.fleet, steps(moved.deployment, config), bake, at)

    def _member(self, place: Place, variant: dict[str, Any], number: int) -> Member:
        name, endpoint, deployment = variant["VariantName"], place.endpoint, place.deployment
        group = f"/aws/sagemaker/Endpoints/{endpoint}"
        seed = f"{endpoint}/{deployment}/{name}/{number}".encode()
        stream = f"{name}/i-{hashlib.sha256(seed).hexdigest()[:17]}"
        archive = variant["Archive"]
        spec = ServerSpec(
            root=self._cloud.directory / "endpoints" / endpoint / f"{deployment}-{name}-{number}",
            archive=None if archive is None else self._cloud.objects.path(archive),
            environment=self._environment(variant),
            startup_seconds=variant["StartupSeconds"],
        )
        log = self._log(variant["RoleArn"], group, stream)
        return Member(name, stream, Server(self._cloud.launcher, spec, log), place.config)

    def _log(self, role: str, group: str, stream: str) -> Callable[[str], None]:
        cloud = self._cloud
        if not may_log(cloud, role, group, stream):
            return lambda _: None
        return lambda line: cloud.log(group, stream, [(cloud.clock.time(), line)])

    def _environment(self, variant: dict[str, Any]) -> dict[str, str]:
        """The model's Environment, and what SageMaker and a container's image put beside it.

        https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html
        """
        cloud = self._cloud
        given = {"PATH": _path(), "LANG": "C.UTF-8", "HOME": "/tmp", "SAGEMAKER_REGION": cloud.region}  # noqa: S108  # the container's own
        given["AWS_REGION"] = cloud.region
        if not variant["Isolated"]:
            given |= role_environment(cloud, variant["RoleArn"])
        return {**given, **variant["Environment"]}


def _path() -> str:
    here = os.path.dirname(sys.executable)  # noqa: PTH120  # not resolved: a venv's Python is a link
    return os.pathsep.join([here, "/usr/local/bin", "/usr/bin", "/bin"])
