"""The service `application-autoscaling`, for variants of endpoints.

https://docs.aws.amazon.com/autoscaling/application/APIReference/API_Operations.html
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from modelwright.local.autoscaling.linked_role import LinkedRole
from modelwright.local.autoscaling.policy_alarms import alarms, split
from modelwright.local.autoscaling.scaler import Alarmed, Scaler
from modelwright.local.autoscaling.scaling_records import DIMENSION, ScalingRecords
from modelwright.local.autoscaling.scaling_requests import check_capacity, check_place, check_policy
from modelwright.local.calls.direct import Direct
from modelwright.local.sagemaker.validation import validate
from modelwright.local.service import AwsError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from modelwright.local.cloud import Cloud
    from modelwright.local.service import Call, Caller

DEREGISTER = "application-autoscaling:DeregisterScalableTarget"
_KEYS = {
    "application-autoscaling:service-namespace": "sagemaker",
    "application-autoscaling:scalable-dimension": DIMENSION,
}
_PLACE = {"ServiceNamespace": "sagemaker", "ScalableDimension": DIMENSION}
_PAGE = 50


class ApplicationAutoScaling:
    """Scalable targets, their policies, and what became of them."""

    name = "application-autoscaling"
    operations = frozenset(
        {
            *("RegisterScalableTarget", "DescribeScalableTargets", "DeregisterScalableTarget"),
            *("PutScalingPolicy", "DescribeScalingPolicies", "DeleteScalingPolicy"),
            "DescribeScalingActivities",
        }
    )
    falls_through = False

    def __init__(self, cloud: Cloud) -> None:
        """Nothing runs before `start`."""
        self._cloud = cloud
        self._records = ScalingRecords(cloud)
        self._role = LinkedRole(cloud)
        self._scaler = Scaler(cloud, self._records, self._role)
        self._lock = threading.RLock()
        """held by who reads and then writes: a target must not come back while its endpoint is deleted"""

    def start(self) -> None:
        """Take up targets and policies, with their alarms."""
        self._role.restore()
        for policy in self._records.policies():
            self._put_alarms(policy)
        self._scaler.start()

    def stop(self) -> None:
        """Scale nothing any more."""
        self._scaler.stop()

    def flush(self) -> None:
        """Return when everything that alarms asked for has been done."""
        self._scaler.flush()

    def handle(self, call: Call) -> dict[str, Any]:
        """Answer one call; AwsError with everything in it that AWS would not take."""
        validate(self.name, call.operation, call.params)
        check_place(call.params)
        action = {
            "RegisterScalableTarget": self._register,
            "DescribeScalableTargets": self._describe_targets,
            "DeregisterScalableTarget": self._deregister,
            "PutScalingPolicy": self._put_policy,
            "DescribeScalingPolicies": self._describe_policies,
            "DeleteScalingPolicy": self._delete_policy,
            "DescribeScalingActivities": self._describe_activities,
        }[call.operation]
        with self._lock:
            return action(call.params, call.caller)

    def trigger(
        self, policy_arn: str, alarm: Mapping[str, Any], points: Sequence[tuple[float, float]], minute_seconds: float
    ) -> None:
        """An alarm that names this policy is on; called once a minute as long as it is. Returns at once.

        `points` are the last values of its metric, with the beginning of their period; a minute of the alarm lasts
        `minute_seconds`.
        """
        policies = {policy["PolicyARN"]: policy for policy in self._records.policies()}
        if policy_arn in policies:
            self._scaler.alarm(Alarmed(policies[policy_arn], alarm, points, minute_seconds))

    def check_update(self, endpoint: str, instance_types: Mapping[str, str | None]) -> None:
        """Raise AwsError when an update takes away a variant that scales, or changes its instance type.

        `instance_types`: by the names of the variants that are to be.
        https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-scaling-update.html
        """
        kept = self._variants(endpoint)
        changed = sorted(
            variant
            for variant in self._registered(endpoint)
            if variant not in instance_types or kept.get(variant, {}).get("InstanceType") != instance_types[variant]
        )
        if changed:
            raise AwsError(
                "ValidationException",
                f"The variant(s) {', '.join(changed)} must be deregistered as scalable targets with AWS Auto Scaling "
                "before they can be removed or have their instance type updated.",
            )

    def check_delete(self, endpoint: str, caller: Caller) -> None:
        """Raise AwsError when variants of the endpoint scale and this caller may not deregister them.

        https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-delete-with-scaling.html
        """
        for variant in self._registered(endpoint):
            target = self._records.target_arn(f"endpoint/{endpoint}/variant/{variant}")
            try:
                self._authorize(caller, DEREGISTER, target, _KEYS)
            except AwsError:
                # as https://github.com/awslabs/stable-diffusion-aws-extension/issues/161 has it
                raise AwsError(
                    "ValidationException",
                    "An Application AutoScaling scalable target exists for a variant being deleted, and the IAM "
                    "identity used to invoke DeleteEndpoint does not have application-autoscaling:"
                    "DeregisterScalableTarget permission to deregister the scalable target.",
                ) from None

    def forget(self, endpoint: str) -> None:
        """Deregister the variants of an endpoint that is deleted."""
        with self._lock:
            for variant in self._registered(endpoint):
                self._drop(f"endpoint/{endpoint}/variant/{variant}")

    def _register(self, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        resource = params["ResourceId"]
        endpoint, name = split(resource)
        before = self._records.find_target(resource) or {}
        least = params.get("MinCapacity", before.get("MinCapacity"))
        most = params.get("MaxCapacity", before.get("MaxCapacity"))
        variant = self._variants(endpoint).get(name)
        self._check_caller(caller, endpoint)
        if variant is None:
            raise AwsError("ValidationException", f"There is no variant {name} of an endpoint {endpoint}.")
        check_capacity(least, most, variant)
        self._role.make(caller)
        target = {
            **_PLACE,
            "CreationTime": self._cloud.clock.now(),
            "SuspendedState": {
                f"{each}Suspended": False for each in ("DynamicScalingIn", "DynamicScalingOut", "ScheduledScaling")
            },
            **before,
            "ResourceId": resource,
            "MinCapacity": least,
            "MaxCapacity": most,
            "RoleARN": self._role.arn,
            "ScalableTargetARN": self._records.target_arn(resource),
        }
        target["SuspendedState"] = {**target["SuspendedState"], **params.get("SuspendedState", {})}
        self._records.put_target(target)
        self._scaler.fit(resource)
        return {"ScalableTargetARN": target["ScalableTargetARN"]}

    def _check_caller(self, caller: Caller, endpoint: str) -> None:
        """Who registers must be allowed what is then done for him.

        https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-auto-scaling-prerequisites.html
        """
        place = f"arn:aws:sagemaker:{self._cloud.region}:{self._cloud.account}"
        for action in ("DescribeEndpoint", "UpdateEndpointWeightsAndCapacities"):
            self._authorize(caller, f"sagemaker:{action}", f"{place}:endpoint/{endpoint}")
        record = self._record(endpoint)
        if record is not None:
            config = record["EndpointConfigName"]
            self._authorize(caller, "sagemaker:DescribeEndpointConfig", f"{place}:endpoint-config/{config}")

    def _deregister(self, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        self._records.target(params["ResourceId"])
        for policy in self._records.policies(params["ResourceId"]):
            self._may_use_alarms(caller, policy, "cloudwatch:DeleteAlarms")
        self._drop(params["ResourceId"])
        return {}

    def _drop(self, resource: str) -> None:
        for policy in self._records.policies(resource):
            self._delete_alarms(policy)
        self._records.drop_target(resource)

    def _put_policy(self, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        resource, name = params["ResourceId"], params["PolicyName"]
        if self._records.find_target(resource) is None:
            raise AwsError(
                "ObjectNotFoundException",
                f"No scalable target registered for service namespace: sagemaker, resource ID: {resource}, "
                f"scalable dimension: {DIMENSION}",
            )
        check_policy(params)
        arn = self._records.policy_arn(resource, name)
        before = {policy["PolicyARN"]: policy for policy in self._records.policies(resource)}.get(arn, {})
        policy = {
            **{key: params[key] for key in params if not key.startswith("Tags")},
            "PolicyType": params.get("PolicyType", "StepScaling"),
            "PolicyARN": arn,
            "CreationTime": before.get("CreationTime", self._cloud.clock.now()),
        }
        for action in ("cloudwatch:PutMetricAlarm", "cloudwatch:DescribeAlarms"):
            self._may_use_alarms(caller, policy, action)
        if before:
            self._delete_alarms(before)
        self._records.put_policy(policy)
        self._put_alarms(policy)
        return {"PolicyARN": arn, "Alarms": self._alarms(policy)}

    def _delete_policy(self, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        policy = self._records.policy(params["ResourceId"], params["PolicyName"])
        self._may_use_alarms(caller, policy, "cloudwatch:DeleteAlarms")
        self._delete_alarms(policy)
        self._records.drop_policy(policy)
        return {}

    def _describe_targets(self, params: dict[str, Any], _: Caller) -> dict[str, Any]:
        wanted = params.get("ResourceIds")
        found = [target for target in self._records.targets() if not wanted or target["ResourceId"] in wanted]
        return _page("ScalableTargets", found, params)

    def _describe_policies(self, params: dict[str, Any], _: Caller) -> dict[str, Any]:
        names = params.get("PolicyNames")
        found = [
            {**policy, "Alarms": self._alarms(policy)}
            for policy in self._records.policies(params.get("ResourceId"))
            if not names or policy["PolicyName"] in names
        ]
        return _page("ScalingPolicies", found, params)

    def _describe_activities(self, params: dict[str, Any], _: Caller) -> dict[str, Any]:
        wanted = params.get("ResourceId")
        found = [each for each in self._records.activities() if wanted in {None, each["ResourceId"]}]
        return _page("ScalingActivities", found, params)

    def _alarms(self, policy: Mapping[str, Any]) -> list[dict[str, str]]:
        return [{"AlarmName": each["AlarmName"], "AlarmARN": self._alarm_arn(each)} for each in alarms(policy)]

    def _alarm_arn(self, alarm: Mapping[str, Any]) -> str:
        return f"arn:aws:cloudwatch:{self._cloud.region}:{self._cloud.account}:alarm:{alarm['AlarmName']}"

    def _put_alarms(self, policy: Mapping[str, Any]) -> None:
        for alarm in alarms(policy):
            Direct(self._cloud, "cloudwatch").put_metric_alarm(**alarm)

    def _delete_alarms(self, policy: Mapping[str, Any]) -> None:
        names = [alarm["AlarmName"] for alarm in alarms(policy)]
        if names:
            Direct(self._cloud, "cloudwatch").delete_alarms(AlarmNames=names)

    def _may_use_alarms(self, caller: Caller, policy: Mapping[str, Any], action: str) -> None:
        for alarm in alarms(policy):
            self._authorize(caller, action, self._alarm_arn(alarm))

    def _authorize(self, caller: Caller, action: str, arn: str, context: Mapping[str, str] | None = None) -> None:
        if caller.role_arn is not None:
            self._cloud.authorize(caller.role_arn, action, arn, context)

    def _record(self, endpoint: str) -> dict[str, Any] | None:
        services: Mapping[str, Any] = self._cloud.services
        found: dict[str, Any] | None = services["sagemaker"].endpoints.find(endpoint)
        return found

    def _variants(self, endpoint: str) -> dict[str, dict[str, Any]]:
        record = self._record(endpoint)
        if record is None or record["EndpointStatus"] == "Deleting":
            return {}
        return {variant["VariantName"]: variant for variant in record["Plan"] or ()}

    def _registered(self, endpoint: str) -> list[str]:
        places = [split(target["ResourceId"]) for target in self._records.targets()]
        return [variant for name, variant in places if name == endpoint]


def _page(member: str, found: Iterable[dict[str, Any]], params: Mapping[str, Any]) -> dict[str, Any]:
    items, begin = list(found), int(params.get("NextToken", "0"))
    end = begin + params.get("MaxResults", _PAGE)
    return {member: items[begin:end], **({"NextToken": str(end)} if end < len(items) else {})}
