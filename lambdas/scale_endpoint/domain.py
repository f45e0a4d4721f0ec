"""How an endpoint's variants are to scale, and what of their scaling an update would be refused for. Pure.

https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-auto-scaling-add-code-define.html
"""

from __future__ import annotations

from typing import Any

from shared.endpoint import FROM_ZERO, Target

FOLLOW_LOAD = "follow-load"
COOL_DOWN_FROM_ZERO_SECONDS = 300
KEPT = {
    "RetainAllVariantProperties": True,
    "ExcludeRetainedVariantProperties": [
        {"VariantPropertyType": "DesiredWeight"},
        {"VariantPropertyType": "DataCaptureConfig"},
    ],
}
"""Of UpdateEndpoint: the number of machines stays what it is, all else is as the new configuration says.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_UpdateEndpoint.html"""


def targets(endpoint: str, variants: list[dict[str, Any]], autoscaling: dict[str, Any]) -> list[Target]:
    """Return how each variant is to scale."""
    policies = [_follow_load(endpoint, autoscaling)]
    if autoscaling["min"] == 0:
        policies.append(_from_zero())
    limits = {"min": autoscaling["min"], "max": autoscaling["max"]}
    return [{"variant": variant["VariantName"], **limits, "policies": policies} for variant in variants]


def refused(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """Return the variants that SageMaker updates only when they no longer scale: of another machine, or gone.

    https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-scaling-update.html
    """
    return sorted(name for name, instance in before.items() if after.get(name) != instance)


def held(scaling: list[Target], kind: str) -> list[str]:
    """Return the variants that must not lose their last machine before the new model is tested on it.

    An idle endpoint's alarm has been on for long: it would take a new machine away within a minute.
    """
    return [target["variant"] for target in scaling if kind == "async" and target["min"] == 0]


def kept_number(scaling: list[Target], variants: list[str], kind: str) -> dict[str, Any]:
    """Return what UpdateEndpoint is told besides: nothing, or that the number of machines stays.

    It stays where all variants scale already. An asynchronous endpoint may have none just now, and the new model has to
    start to be tested.
    """
    known = {target["variant"] for target in scaling}
    return KEPT if kind != "async" and variants and known >= set(variants) else {}


def _follow_load(endpoint: str, autoscaling: dict[str, Any]) -> dict[str, Any]:
    """Auto Scaling makes the alarms of a target-tracking policy itself."""
    cool_downs = {
        "ScaleInCooldown": autoscaling["scale_in_seconds"],
        "ScaleOutCooldown": autoscaling["scale_out_seconds"],
    }
    metric, value = _metric(endpoint, autoscaling)
    return {
        "PolicyName": FOLLOW_LOAD,
        "PolicyType": "TargetTrackingScaling",
        "TargetTrackingScalingPolicyConfiguration": {"TargetValue": float(value), **metric, **cool_downs},
    }


def _metric(endpoint: str, autoscaling: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """Requests that each machine gets in a minute, or that wait for each.

    https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference-autoscale.html
    """
    if autoscaling.get("backlog_per_instance") is None:
        metric = {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"}
        return {"PredefinedMetricSpecification": metric}, autoscaling["requests_per_instance"]
    metric_of_queue = {
        "Namespace": "AWS/SageMaker",
        "MetricName": "ApproximateBacklogSizePerInstance",
        "Dimensions": [{"Name": "EndpointName", "Value": endpoint}],
        "Statistic": "Average",
    }
    return {"CustomizedMetricSpecification": metric_of_queue}, autoscaling["backlog_per_instance"]


def _from_zero() -> dict[str, Any]:
    """Without it the first machine would start only when the queue is longer than what is tracked."""
    return {
        "PolicyName": FROM_ZERO,
        "PolicyType": "StepScaling",
        "StepScalingPolicyConfiguration": {
            "AdjustmentType": "ChangeInCapacity",
            "MetricAggregationType": "Average",
            "Cooldown": COOL_DOWN_FROM_ZERO_SECONDS,
            "StepAdjustments": [{"MetricIntervalLowerBound": 0.0, "ScalingAdjustment": 1}],
        },
    }
