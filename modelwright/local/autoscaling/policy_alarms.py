"""The alarms that target tracking makes: many instances too few, some too many.

https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-target-tracking.html
The numbers of minutes, and nine tenths as the lower threshold, are those of the alarms that it makes on AWS; no page of
the reference has them.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

PERIOD_SECONDS = 60
PERIODS_HIGH = 3
PERIODS_LOW = 15
SHARE_LOW = 0.9
INVOCATIONS = "SageMakerVariantInvocationsPerInstance"
CUSTOMIZED = "CustomizedMetricSpecification"
PREDEFINED = "PredefinedMetricSpecification"


def alarm_names(resource: str, policy_arn: str) -> dict[str, str]:
    """Return the names of a policy's alarms, `High` and `Low`; the same for the same policy."""
    return {
        which: f"TargetTracking-{resource}-Alarm{which}-{uuid.uuid5(uuid.NAMESPACE_URL, policy_arn + which)}"
        for which in ("High", "Low")
    }


def alarms(policy: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return a policy's alarms as PutMetricAlarm takes them; none of a step policy, whose user makes its own.

    Missing data are no breach: without any, nothing scales in ("insufficient data").
    """
    tracking = policy.get("TargetTrackingScalingPolicyConfiguration")
    if tracking is None:
        return []
    names = alarm_names(policy["ResourceId"], policy["PolicyARN"])
    target = float(tracking["TargetValue"])
    common = {
        **_metric(tracking, policy["ResourceId"]),
        "Period": PERIOD_SECONDS,
        "AlarmActions": [policy["PolicyARN"]],
        "AlarmDescription": f"DO NOT EDIT OR DELETE. For TargetTrackingScaling policy {policy['PolicyARN']}.",
    }
    high = {
        "AlarmName": names["High"],
        "ComparisonOperator": "GreaterThanThreshold",
        "Threshold": target,
        "EvaluationPeriods": PERIODS_HIGH,
    }
    low = {
        "AlarmName": names["Low"],
        "ComparisonOperator": "LessThanThreshold",
        "Threshold": SHARE_LOW * target,
        "EvaluationPeriods": PERIODS_LOW,
    }
    made = [high] if tracking.get("DisableScaleIn") else [high, low]
    return [{**common, **alarm} for alarm in made]


def _metric(tracking: Mapping[str, Any], resource: str) -> dict[str, Any]:
    custom = tracking.get(CUSTOMIZED)
    if custom is not None:
        named = {name: custom[name] for name in ("MetricName", "Namespace", "Statistic")}
        return {**named, "Dimensions": list(custom.get("Dimensions", ()))}
    endpoint, variant = split(resource)
    dimensions = [{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": variant}]
    return {
        "Namespace": "AWS/SageMaker",
        "MetricName": "InvocationsPerInstance",
        "Statistic": "Sum",
        "Dimensions": dimensions,
    }


def split(resource: str) -> tuple[str, str]:
    """Return endpoint and variant of `endpoint/<name>/variant/<name>`."""
    _, endpoint, _, variant = resource.split("/")
    return endpoint, variant
