"""What Application Auto Scaling takes for a variant of an endpoint, and what the local cloud does of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from modelwright.local.autoscaling.policy_alarms import CUSTOMIZED, INVOCATIONS, PREDEFINED
from modelwright.local.autoscaling.scaling_records import DIMENSION
from modelwright.local.service import AwsError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_RESOURCE = re.compile(r"endpoint/[^/]+/variant/[^/]+")
BURSTABLE = "ml.t2."
"""SageMaker scales no variants on them, as they have more capacity when it is needed anyway
(https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-auto-scaling.html)"""


def check_place(params: Mapping[str, Any]) -> None:
    """Raise AwsError for what is no variant of an endpoint."""
    if params["ServiceNamespace"] != "sagemaker":
        raise _refused(f"The local cloud scales sagemaker only; found {params['ServiceNamespace']}.")
    dimension = params.get("ScalableDimension")
    if dimension not in {None, DIMENSION}:
        raise _refused(f"The local cloud scales {DIMENSION} only; found {dimension}.")
    resource = params.get("ResourceId")
    if resource is not None and not _RESOURCE.fullmatch(resource):
        raise _refused(f"Unsupported service namespace, resource type or scalable dimension: {resource}")


def check_capacity(least: int | None, most: int | None, variant: Mapping[str, Any]) -> None:
    """Raise AwsError for limits that this variant cannot have; `variant` is one of an endpoint's plan."""
    problems = list(_capacity_problems(least, most, variant))
    if problems:
        raise _refused(" ".join(problems))


def check_policy(params: Mapping[str, Any]) -> None:
    """Raise AwsError for a policy that cannot be."""
    kind = params.get("PolicyType", "StepScaling")
    wanted = {
        "TargetTrackingScaling": "TargetTrackingScalingPolicyConfiguration",
        "StepScaling": "StepScalingPolicyConfiguration",
    }
    if kind not in wanted:
        raise _refused(f"The local cloud has no policies of type {kind}; allowed: {', '.join(sorted(wanted))}.")
    if wanted[kind] not in params:
        raise _refused(f"A policy of type {kind} needs {wanted[kind]}.")
    problems = list(_PROBLEMS[kind](params[wanted[kind]]))
    if problems:
        raise _refused(" ".join(problems))


def _capacity_problems(least: int | None, most: int | None, variant: Mapping[str, Any]) -> Iterator[str]:
    if least is None or most is None:
        yield "MinCapacity and MaxCapacity are needed for a new scalable target."
        return
    if most < least:
        yield f"Maximum capacity cannot be less than minimum capacity; found {most} and {least}."
    if variant.get("Serverless"):
        yield f"The variant {variant['VariantName']} is serverless: it has no instances to scale."
        return
    if least == 0 and not variant.get("Async"):
        yield "MinCapacity is 0; only an asynchronous endpoint scales to zero instances, others need 1 or more."
    if variant["InstanceType"].startswith(BURSTABLE):
        yield f"Auto scaling is not supported for burstable instances such as {variant['InstanceType']}."


def _tracking_problems(tracking: Mapping[str, Any]) -> Iterator[str]:
    given = [name for name in (PREDEFINED, CUSTOMIZED) if name in tracking]
    if len(given) != 1:
        yield f"Exactly one of {PREDEFINED} and {CUSTOMIZED} must be given; found {' and '.join(given) or 'none'}."
        return
    if tracking["TargetValue"] <= 0:
        yield f"TargetValue is {tracking['TargetValue']}; it must be more than 0."
    kind = tracking.get(PREDEFINED, {}).get("PredefinedMetricType", INVOCATIONS)
    if kind != INVOCATIONS:
        yield f"The local cloud does not support the metric {kind}; use {INVOCATIONS} or {CUSTOMIZED}."
    custom = tracking.get(CUSTOMIZED)
    if custom is not None:
        missing = [name for name in ("MetricName", "Namespace", "Statistic") if name not in custom]
        if "Metrics" in custom:
            yield "The local cloud does not support CustomizedMetricSpecification.Metrics; name one metric."
        elif missing:
            yield f"{CUSTOMIZED} needs {', '.join(missing)}."


def _step_problems(steps: Mapping[str, Any]) -> Iterator[str]:
    if "AdjustmentType" not in steps:
        yield "StepScalingPolicyConfiguration needs an AdjustmentType."
    if not steps.get("StepAdjustments"):
        yield "StepScalingPolicyConfiguration needs StepAdjustments."


_PROBLEMS = {"TargetTrackingScaling": _tracking_problems, "StepScaling": _step_problems}


def _refused(message: str) -> AwsError:
    return AwsError("ValidationException", message)
