"""Acts on alarms: asks the policy how many instances it wants, and SageMaker for them.

One thread does it, one thing after the other: who evaluates an alarm is not kept waiting.
"""

from __future__ import annotations

import logging
import queue
import threading
import uuid
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from modelwright.local.autoscaling.decisions import Last, Limits, cooldown, may_scale_in, may_scale_out, step, track
from modelwright.local.autoscaling.policy_alarms import alarm_names, split
from modelwright.local.autoscaling.scaling_records import DIMENSION
from modelwright.local.service import AwsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from modelwright.local.autoscaling.linked_role import LinkedRole
    from modelwright.local.autoscaling.scaling_records import ScalingRecords
    from modelwright.local.cloud import Cloud

SETTLED_WITHIN_SECONDS = 600
_log = logging.getLogger(__name__)


class Scaler:
    """Changes the number of instances of registered variants."""

    def __init__(self, cloud: Cloud, records: ScalingRecords, role: LinkedRole) -> None:
        """Nothing runs before `start`."""
        self._cloud = cloud
        self._records = records
        self._role = role
        self._queue: queue.Queue[Callable[[], None] | None] = queue.Queue()
        self._last: dict[tuple[str, str], Last] = {}
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

    def alarm(self, policy: Mapping[str, Any], alarm: Mapping[str, Any], points: Sequence[tuple[float, float]]) -> None:
        """An alarm of the policy is on, with these last values of its metric; returns at once."""
        self._queue.put(lambda: self._act(policy, alarm, points))

    def fit(self, resource: str) -> None:
        """Bring a target's capacity between its limits if it is active; returns at once."""
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

    def _act(self, policy: Mapping[str, Any], alarm: Mapping[str, Any], points: Sequence[tuple[float, float]]) -> None:
        """Do what the policy wants. What was measured with another number of instances does not count."""
        resource = policy["ResourceId"]
        changed = max(self._last.get((resource, way), Last()).at for way in ("In", "Out"))
        values = [value for begin, value in points if begin >= changed]
        if values:
            self._follow(policy, alarm, max(values))

    def _follow(self, policy: Mapping[str, Any], alarm: Mapping[str, Any], value: float) -> None:
        resource = policy["ResourceId"]
        target, now = self._records.find_target(resource), self._cloud.clock.time()
        current = self._current(resource)
        if target is None or current is None:
            return
        limits = Limits(target["MinCapacity"], target["MaxCapacity"], current)
        wanted = self._wanted(policy, alarm, value, limits)
        if wanted == current or _is_suspended(target, wanted > current):
            return
        direction = "Out" if wanted > current else "In"
        may = may_scale_out if direction == "Out" else may_scale_in
        last = self._last.get((resource, direction), Last())
        if not may(wanted, current, last, cooldown(policy, direction), now):
            return
        if direction == "In" and not self._others_agree(policy):
            return
        cause = f"monitor alarm {alarm['AlarmName']} in state ALARM triggered policy {policy['PolicyName']}"
        if self._change(resource, wanted, cause):
            self._last[resource, direction] = Last(self._cloud.clock.time(), wanted)

    def _wanted(self, policy: Mapping[str, Any], alarm: Mapping[str, Any], value: float, limits: Limits) -> int:
        tracking = policy.get("TargetTrackingScalingPolicyConfiguration")
        if tracking is None:
            return step(policy["StepScalingPolicyConfiguration"], value - float(alarm["Threshold"]), limits)
        wanted = track(tracking, value, limits)
        is_high = alarm["AlarmName"] == alarm_names(policy["ResourceId"], policy["PolicyARN"])["High"]
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
        target, current = self._records.find_target(resource), self._current(resource)
        if target is None or current is None:
            return
        limits = Limits(target["MinCapacity"], target["MaxCapacity"], current)
        wanted = limits.within(current)
        if wanted != current:
            which, limit = ("minimum", limits.least) if wanted > current else ("maximum", limits.most)
            self._change(resource, wanted, f"{which} capacity was set to {limit}")

    def _current(self, resource: str) -> int | None:
        """How many instances a variant is to have; None of one that is not in service."""
        endpoint, variant = split(resource)
        try:
            found = self._cloud.client("sagemaker", self._role.arn).describe_endpoint(EndpointName=endpoint)
        except ClientError:
            return None
        if found["EndpointStatus"] != "InService":
            return None
        counts = {each["VariantName"]: each.get("DesiredInstanceCount") for each in found["ProductionVariants"]}
        return counts.get(variant)

    def _change(self, resource: str, wanted: int, cause: str) -> bool:
        """Ask SageMaker for `wanted` instances and wait until they are there; whether they are."""
        endpoint, variant = split(resource)
        activity = {
            "ActivityId": str(uuid.uuid4()),
            "ServiceNamespace": "sagemaker",
            "ResourceId": resource,
            "ScalableDimension": DIMENSION,
            "Description": f"Setting desired instance count to {wanted}.",
            "Cause": cause,
            "StartTime": self._cloud.clock.now(),
            "StatusCode": "InProgress",
        }
        self._records.note(activity)
        problem = self._ask(endpoint, variant, wanted)
        done = f"Successfully set desired instance count to {wanted}. Change successfully fulfilled by sagemaker."
        failed = f"Failed to set desired instance count to {wanted}. Reason: {problem}"
        code, message = ("Successful", done) if problem is None else ("Failed", failed)
        ended = {"EndTime": self._cloud.clock.now(), "StatusCode": code, "StatusMessage": message}
        self._records.note({**activity, **ended})
        return problem is None

    def _ask(self, endpoint: str, variant: str, wanted: int) -> str | None:
        """Why the change was not made; None when it was."""
        client = self._cloud.client("sagemaker", self._role.arn)
        services: Mapping[str, Any] = self._cloud.services
        try:
            client.update_endpoint_weights_and_capacities(
                EndpointName=endpoint,
                DesiredWeightsAndCapacities=[{"VariantName": variant, "DesiredInstanceCount": wanted}],
            )
            found = services["sagemaker"].wait("Endpoint", endpoint, SETTLED_WITHIN_SECONDS)
        except ClientError as error:
            return str(error.response["Error"].get("Message"))
        except AwsError as error:
            return error.message
        counts = {
            each["VariantName"]: each["DesiredInstanceCount"] for each in (found or {}).get("ProductionVariants", ())
        }
        return None if counts.get(variant) == wanted else str((found or {}).get("FailureReason", "it takes too long"))


def _is_suspended(target: Mapping[str, Any], out: bool) -> bool:  # noqa: FBT001  # the direction
    return bool(target.get("SuspendedState", {}).get(f"DynamicScaling{'Out' if out else 'In'}Suspended"))
