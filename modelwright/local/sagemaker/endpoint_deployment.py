"""Puts a configuration into service: plan, new fleet, traffic; or leaves everything as it was."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import sys
from typing import TYPE_CHECKING, Any

from modelwright.local.sagemaker.endpoint_fleet import Fleet, Member, Traffic
from modelwright.local.sagemaker.endpoint_guardrails import Bake, Guard, RolledBack, shift, steps, wait_interval
from modelwright.local.sagemaker.endpoint_plan import PlanError, make_plan, may_log
from modelwright.local.sagemaker.endpoint_server import Server, ServerFailed, ServerSpec
from modelwright.local.sagemaker.job_process import role_environment

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Mapping

    from modelwright.local.cloud import Cloud
    from modelwright.local.sagemaker.models import Models

__all__ = ["Deployer", "PlanError", "RolledBack", "ServerFailed"]


class Deployer:
    """Makes fleets of real server processes under `<directory>/endpoints`."""

    def __init__(self, cloud: Cloud, models: Models, longest_bake_seconds: float) -> None:
        """Wait at most `longest_bake_seconds` where a deployment asks for a WaitIntervalInSeconds."""
        self._cloud = cloud
        self._models = models
        self._longest_bake_seconds = longest_bake_seconds

    def clear(self) -> None:
        """Remove the trees that an earlier process left. No server of it lives any more."""
        shutil.rmtree(self._cloud.directory / "endpoints", ignore_errors=True)

    def plan(self, config: dict[str, Any]) -> list[dict[str, Any]]:
        """Resolve what the configuration serves; PlanError with the reason."""
        return make_plan(self._cloud, self._models, config)

    def fleet(self, endpoint: str, plan: list[dict[str, Any]]) -> Fleet:
        """Start the servers of a plan; ServerFailed with the reason, and nothing left running."""
        deployment = secrets.token_hex(4)
        fleet = Fleet(plan, lambda variant, number: self._member(endpoint, deployment, variant, number))
        try:
            fleet.start()
        except BaseException:
            fleet.stop(drain_seconds=0, grace_seconds=0)
            raise
        return fleet

    def shift(
        self,
        traffic: Traffic,
        fleet: Fleet,
        plan: list[dict[str, Any]],
        deployment: Mapping[str, Any] | None,
        stopping: threading.Event,
    ) -> None:
        """Move the traffic to `fleet` as the DeploymentConfig says; RolledBack with the reason."""
        guard = Guard(self._cloud, plan[0]["RoleArn"], deployment)
        seconds = min(wait_interval(deployment), self._longest_bake_seconds)
        shift(traffic, fleet, steps(deployment, {"ProductionVariants": plan}), Bake(guard, seconds, stopping))

    def _member(self, endpoint: str, deployment: str, variant: dict[str, Any], number: int) -> Member:
        name = variant["VariantName"]
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
        return Member(name, stream, Server(self._cloud.launcher, spec, self._log(variant["RoleArn"], group, stream)))

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
