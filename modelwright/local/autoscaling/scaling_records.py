"""Targets, policies and activities, kept in the cloud's database."""

from __future__ import annotations

import hashlib
import uuid
from typing import TYPE_CHECKING, Any

from modelwright.local.service import AwsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelwright.local.cloud import Cloud

DIMENSION = "sagemaker:variant:DesiredInstanceCount"
_TARGET, _POLICY, _ACTIVITY = "scalable-target", "scaling-policy", "scaling-activity"


def target_id(resource: str) -> str:
    """Return the id in a target's ARN: nobody's name, the same for the same resource."""
    return hashlib.sha256(f"{DIMENSION} {resource}".encode()).hexdigest()[:36]


class ScalingRecords:
    """What is registered, and what became of it."""

    def __init__(self, cloud: Cloud) -> None:
        """Keep records in the cloud's database."""
        self._cloud = cloud
        self._database = cloud.database

    def target_arn(self, resource: str) -> str:
        """Return the ARN of a target."""
        place = f"arn:aws:application-autoscaling:{self._cloud.region}:{self._cloud.account}"
        return f"{place}:scalable-target/{target_id(resource)}"

    def policy_arn(self, resource: str, name: str) -> str:
        """Return the ARN of a policy, the same for the same target and name."""
        identity = uuid.uuid5(uuid.NAMESPACE_URL, f"{self._cloud.account} {resource} {name}")
        place = f"arn:aws:autoscaling:{self._cloud.region}:{self._cloud.account}:scalingPolicy"
        return f"{place}:{identity}:resource/sagemaker/{resource}:policyName/{name}"

    def targets(self) -> list[dict[str, Any]]:
        """Return all targets, by their resource."""
        return [body for _, body in self._database.all(_TARGET)]

    def find_target(self, resource: str) -> dict[str, Any] | None:
        """Return a target, or None."""
        return self._database.get(_TARGET, resource)

    def target(self, resource: str) -> dict[str, Any]:
        """Return a target; AwsError ObjectNotFoundException when there is none."""
        found = self.find_target(resource)
        if found is None:
            raise AwsError(
                "ObjectNotFoundException",
                f"No scalable target found for service namespace: sagemaker, resource ID: {resource}, "
                f"scalable dimension: {DIMENSION}",
            )
        return found

    def put_target(self, target: Mapping[str, Any]) -> None:
        """Keep a target."""
        self._database.put(_TARGET, target["ResourceId"], target)

    def drop_target(self, resource: str) -> None:
        """Drop a target with its policies."""
        with self._database.transaction():
            self._database.delete(_TARGET, resource)
            for policy in self.policies(resource):
                self.drop_policy(policy)

    def policies(self, resource: str | None = None) -> list[dict[str, Any]]:
        """Return the policies of a target, or all."""
        prefix = "" if resource is None else f"{resource}\n"
        return [body for _, body in self._database.all(_POLICY, prefix)]

    def policy(self, resource: str, name: str) -> dict[str, Any]:
        """Return a policy; AwsError ObjectNotFoundException when there is none."""
        found = self._database.get(_POLICY, f"{resource}\n{name}")
        if found is None:
            raise AwsError(
                "ObjectNotFoundException",
                f"No scaling policy found for service namespace: sagemaker, resource ID: {resource}, "
                f"scalable dimension: {DIMENSION}, policy name: {name}",
            )
        return found

    def put_policy(self, policy: Mapping[str, Any]) -> None:
        """Keep a policy."""
        self._database.put(_POLICY, f"{policy['ResourceId']}\n{policy['PolicyName']}", policy)

    def drop_policy(self, policy: Mapping[str, Any]) -> None:
        """Drop a policy."""
        self._database.delete(_POLICY, f"{policy['ResourceId']}\n{policy['PolicyName']}")

    def activities(self) -> list[dict[str, Any]]:
        """Return what was scaled, the newest first."""
        found = {body["ActivityId"]: body for _, body in self._database.read(_ACTIVITY)}
        return sorted(found.values(), key=lambda each: each["StartTime"], reverse=True)

    def note(self, activity: Mapping[str, Any]) -> None:
        """Keep how an activity stands."""
        self._database.append(_ACTIVITY, [activity])
