"""Deployment guardrails: how the traffic moves to a new fleet, and the alarms that send it back.

https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails.html
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from modelwright.local.sagemaker.unsupported import refuse_members
from modelwright.local.service import AwsError

if TYPE_CHECKING:
    import threading
    from collections.abc import Mapping, Sequence

    from modelwright.local.cloud import Cloud
    from modelwright.local.sagemaker.endpoint_fleet import Fleet, Traffic

LOOK_EVERY_SECONDS = 0.5
MOST_CANARY_PERCENT = 50
NOT_YET = {"DeploymentConfig.RollingUpdatePolicy": "use BlueGreenUpdatePolicy"}


class RolledBack(Exception):  # noqa: N818  # it is an outcome of a deployment
    """The new fleet must not serve; the message is the reason."""


def check_deployment(operation: str, params: Mapping[str, Any], config: Mapping[str, Any]) -> None:
    """Raise AwsError for a DeploymentConfig that AWS or the local cloud would not carry out."""
    refuse_members(operation, params, NOT_YET)
    deployment = params.get("DeploymentConfig")
    if deployment is None:
        return
    policy = deployment.get("BlueGreenUpdatePolicy")
    if policy is None:
        raise AwsError("ValidationException", "DeploymentConfig needs a BlueGreenUpdatePolicy.")
    routing = policy["TrafficRoutingConfiguration"]
    size_name = {"CANARY": "CanarySize", "LINEAR": "LinearStepSize"}.get(routing["Type"])
    for name in ("CanarySize", "LinearStepSize"):
        if (name in routing) != (name == size_name):
            message = (
                f"{name} must {'' if name == size_name else 'not '}be given for traffic of Type {routing['Type']}."
            )
            raise AwsError("ValidationException", message)
    if size_name is not None:
        _check_size(size_name, routing[size_name], _instances(config))


def _check_size(name: str, size: Mapping[str, Any], instances: int) -> None:
    if instances < 2:
        raise AwsError("ValidationException", f"{name} needs at least 2 instances; use Type ALL_AT_ONCE with one.")
    share = _share(size, instances)
    if share > MOST_CANARY_PERCENT / 100:
        message = (
            f"{name} is {size['Value']} ({size['Type']}); it must be at most {MOST_CANARY_PERCENT} % of the capacity."
        )
        raise AwsError("ValidationException", message)


def steps(deployment: Mapping[str, Any] | None, config: Mapping[str, Any]) -> list[float]:
    """Return the shares of traffic that the new fleet gets one after the other; the last is 1."""
    if deployment is None:
        return [1.0]
    routing = deployment["BlueGreenUpdatePolicy"]["TrafficRoutingConfiguration"]
    if routing["Type"] == "ALL_AT_ONCE":
        return [1.0]
    if routing["Type"] == "CANARY":
        return [_share(routing["CanarySize"], _instances(config)), 1.0]
    size = _share(routing["LinearStepSize"], _instances(config))
    return [min(1.0, size * number) for number in range(1, 1 + -int(-1.0 // size))]


class Guard:
    """Watches the alarms of an AutoRollbackConfiguration, as the model's execution role (cloudwatch:DescribeAlarms)."""

    def __init__(self, cloud: Cloud, role: str, deployment: Mapping[str, Any] | None) -> None:
        """Watch the deployment's alarms, which may be none."""
        self._cloud = cloud
        self._role = role
        alarms = (deployment or {}).get("AutoRollbackConfiguration", {}).get("Alarms", [])
        self._names = [alarm["AlarmName"] for alarm in alarms]

    def check(self) -> None:
        """Raise RolledBack when an alarm is in ALARM, is not there, or may not be read."""
        if not self._names:
            return
        try:
            client = self._cloud.client("cloudwatch", self._role)
            found = client.describe_alarms(AlarmNames=self._names, MaxRecords=100)
        except ClientError as error:
            raise RolledBack(f"The alarms {', '.join(self._names)} cannot be read by {self._role}: {error}") from None
        alarms = {
            alarm["AlarmName"]: alarm for kind in ("MetricAlarms", "CompositeAlarms") for alarm in found.get(kind, [])
        }
        missing = [name for name in self._names if name not in alarms]
        if missing:
            raise RolledBack(f"There is no alarm {', '.join(missing)}.")
        fired = [name for name, alarm in alarms.items() if alarm["StateValue"] == "ALARM"]
        if fired:
            reason = alarms[fired[0]].get("StateReason", "")
            raise RolledBack(f"The alarm {', '.join(fired)} is in ALARM: {reason}")


def shift(traffic: Traffic, fleet: Fleet, shares: Sequence[float], bake: Bake) -> None:
    """Move the traffic to `fleet` share by share; RolledBack, with everything on the old fleet again, by an alarm."""
    old = traffic.fleet
    try:
        bake.guard.check()
        for share in shares:
            traffic.route((fleet, share), *([(old, 1 - share)] if old is not None else []))
            bake.wait()
    except BaseException:
        traffic.route(*([(old, 1.0)] if old is not None else []))
        raise


class Bake:
    """The time that is waited after each step, with an eye on the alarms."""

    def __init__(self, guard: Guard, seconds: float, stopping: threading.Event) -> None:
        """Wait for `seconds`, or until `stopping`."""
        self.guard = guard
        self._seconds = seconds
        self._stopping = stopping

    def wait(self) -> None:
        """Return when the time is over; RolledBack when an alarm fires. The alarms are read at least once."""
        end = time.monotonic() + self._seconds
        while True:
            self.guard.check()
            left = end - time.monotonic()
            if left <= 0 or self._stopping.wait(min(left, LOOK_EVERY_SECONDS)):
                return


def wait_interval(deployment: Mapping[str, Any] | None) -> float:
    """Return the bake time that a deployment asks for, in seconds."""
    policy = (deployment or {}).get("BlueGreenUpdatePolicy", {})
    return float(policy.get("TrafficRoutingConfiguration", {}).get("WaitIntervalInSeconds", 0))


def _share(size: Mapping[str, Any], instances: int) -> float:
    return float(size["Value"]) / (100 if size["Type"] == "CAPACITY_PERCENT" else instances)


def _instances(config: Mapping[str, Any]) -> int:
    return sum(variant["InitialInstanceCount"] for variant in config["ProductionVariants"])
