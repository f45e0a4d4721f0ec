"""Acts on alarms: asks the policy how many instances it wants, and SageMaker for them (capacity.py).

One thread does it, one thing after the other: who evaluates an alarm is not kept waiting.
"""

from __future__ import annotations

import logging
import queue
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modelwright.local.autoscaling.capacity import Capacity
from modelwright.local.autoscaling.decisions import Last, Limits, cooldown, may_scale_in, may_scale_out, step, track
from modelwright.local.autoscaling.policy_alarms import alarm_names
from modelwright.local.monitoring.alarms import MINUTE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from modelwright.local.autoscaling.linked_role import LinkedRole
    from modelwright.local.autoscaling.scaling_records import ScalingRecords
    from modelwright.local.cloud import Cloud

_OPPOSITE = {"Out": "In", "In": "Out"}
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Alarmed:
    """A policy's alarm that is on."""

    policy: Mapping[str, Any]
    alarm: Mapping[str, Any]
    points: Sequence[tuple[float, float]]
    """the last values of its metric, by the beginning of their period"""
    minute_seconds: float = MINUTE_SECONDS
    """how long a minute of the alarm lasts, and of the policy's cool-downs: both or none are shorter than AWS's"""

    @property
    def resource(self) -> str:
        """What is to scale."""
        return str(self.policy["ResourceId"])

    def cooldown(self, direction: str) -> float:
        """Return for how many seconds to wait after the policy scaled `Out` or `In`."""
        return cooldown(self.policy, direction) * self.minute_seconds / MINUTE_SECONDS


class Scaler:
    """Changes the number of instances of registered variants."""

    def __init__(self, cloud: Cloud, records: ScalingRecords, role: LinkedRole) -> None:
        """Nothing runs before `start`."""
        self._cloud = cloud
        self._records = records
        self._role = role
        self._queue: queue.Queue[Callable[[], None] | None] = queue.Queue()
        self._last: dict[tuple[str, str], Last] = {}
        self._capacity = Capacity(cloud, records, role)
        self._thread = threading.Thread(target=self._run, name="autoscaling", daemon=True)

    def start(self) -> None:
        """Begin to act."""
        self._thread.start()

    def stop(self) -> None:
        """End; what is under way is left to SageMaker."""
        if self._thread.is_alive():
            self._queue.put(None)
            self._thread.join(5.0)

    def flush(self) -> None:
        """Return when everything that alarms asked for has been done."""
        self._queue.join()

    def alarm(self, on: Alarmed) -> None:
        """An alarm of a policy is on; returns at once. What cannot be done now is asked for again, as long as it is."""
        self._queue.put(lambda: self._act(on))

    def fit(self, resource: str) -> None:
        """Bring a target's capacity between its limits; returns at once.

        "If the specified resource is not active in the target service, this operation does not change the resource's
        current capacity": one that is not is brought there when a policy is next asked.
        https://docs.aws.amazon.com/autoscaling/application/APIReference/API_RegisterScalableTarget.html
        """
        self._queue.put(lambda: self._fit(resource))

    def _run(self) -> None:
        while True:
            work = self._queue.get()
            try:
                if work is None:
                    return
                work()
            except Exception:  # noqa: BLE001  # the next alarm must find this thread alive
                _log.exception("a scaling activity failed")
            finally:
                self._queue.task_done()

    def _act(self, on: Alarmed) -> None:
        """Do what the policy wants. What was measured with another number of instances does not count."""
        values = [value for begin, value in on.points if begin >= self._capacity.changed_at(on.resource)]
        target, current = self._records.find_target(on.resource), self._capacity.current(on.resource)
        if values and target is not None and current is not None and not self._put_within(target, current):
            self._follow(on, target, Limits(target["MinCapacity"], target["MaxCapacity"], current), max(values))

    def _follow(self, on: Alarmed, target: Mapping[str, Any], limits: Limits, value: float) -> None:
        current, wanted = limits.current, self._wanted(on, value, limits)
        direction = "Out" if wanted > current else "In"
        last, now = self._last.get((on.resource, direction), Last()), self._cloud.clock.time()
        may = may_scale_out if direction == "Out" else may_scale_in
        if _is_suspended(target, direction) or not may(wanted, current, last, on.cooldown(direction), now):
            return
        if direction == "In" and not self._others_agree(on.policy):
            return
        cause = f"monitor alarm {on.alarm['AlarmName']} in state ALARM triggered policy {on.policy['PolicyName']}"
        if self._capacity.change(on.resource, wanted, cause):
            self._begin_cooldown(on.resource, direction, Last(self._cloud.clock.time(), wanted, current))

    def _begin_cooldown(self, resource: str, direction: str, last: Last) -> None:
        """From now on this one counts; that of the other direction ends.

        "if another alarm triggers a scale-out activity during the cooldown period after a scale-in activity,
        Application Auto Scaling scales out the target immediately": also where it had scaled out shortly before that.
        https://docs.aws.amazon.com/autoscaling/application/APIReference/API_StepScalingPolicyConfiguration.html
        """
        self._last[resource, direction] = last
        self._last.pop((resource, _OPPOSITE[direction]), None)

    def _wanted(self, on: Alarmed, value: float, limits: Limits) -> int:
        tracking = on.policy.get("TargetTrackingScalingPolicyConfiguration")
        if tracking is None:
            out = self._last.get((on.resource, "Out"), Last())
            cooling = out if out.cools_down(on.cooldown("Out"), self._cloud.clock.time()) else None
            breach = value - float(on.alarm["Threshold"])
            return step(on.policy["StepScalingPolicyConfiguration"], breach, limits, cooling)
        wanted = track(tracking, value, limits)
        is_high = on.alarm["AlarmName"] == alarm_names(on.resource, on.policy["PolicyARN"])["High"]
        return max(wanted, limits.current) if is_high else min(wanted, limits.current)

    def _others_agree(self, policy: Mapping[str, Any]) -> bool:
        """With several policies, instances go only when each of them that could remove some would do so."""
        names = [
            alarm_names(each["ResourceId"], each["PolicyARN"])["Low"]
            for each in self._records.policies(policy["ResourceId"])
            if each["PolicyName"] != policy["PolicyName"]
            and not each.get("TargetTrackingScalingPolicyConfiguration", {"DisableScaleIn": True}).get("DisableScaleIn")
        ]
        if not names:
            return True
        found = self._cloud.client("cloudwatch", self._role.arn).describe_alarms(AlarmNames=names)["MetricAlarms"]
        return all(alarm["StateValue"] == "ALARM" for alarm in found)

    def _fit(self, resource: str) -> None:
        target, current = self._records.find_target(resource), self._capacity.current(resource)
        if target is not None and current is not None:
            self._put_within(target, current)

    def _put_within(self, target: Mapping[str, Any], current: int) -> bool:
        """Bring a target between its limits, and say whether it was outside of them.

        "anytime a scaling policy is invoked or the RegisterScalableTarget API is called, Application Auto Scaling
        retrieves the current capacity": https://docs.aws.amazon.com/autoscaling/application/userguide/getting-started.html
        """
        limits = Limits(target["MinCapacity"], target["MaxCapacity"], current)
        wanted = limits.within(current)
        if wanted != current:
            which, limit = ("minimum", limits.least) if wanted > current else ("maximum", limits.most)
            self._capacity.change(target["ResourceId"], wanted, f"{which} capacity was set to {limit}")
        return wanted != current


def _is_suspended(target: Mapping[str, Any], direction: str) -> bool:
    return bool(target.get("SuspendedState", {}).get(f"DynamicScaling{direction}Suspended"))
