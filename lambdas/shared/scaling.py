"""How an endpoint's variants scale: read as it is, set, taken away. What is read can be set again.

https://docs.aws.amazon.com/autoscaling/application/userguide/services-that-can-integrate-sagemaker.html
"""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from shared.clients import client, error_code
from shared.endpoint import FROM_ZERO, Target

DIMENSION = "sagemaker:variant:DesiredInstanceCount"
_CONFIGURATIONS = ("TargetTrackingScalingPolicyConfiguration", "StepScalingPolicyConfiguration")


def read_targets(endpoint: str, variants: list[str]) -> list[Target]:
    """Return how the variants scale; nothing of one that does not."""
    if not variants:
        return []
    ids = [_resource(endpoint, variant) for variant in variants]
    pages = (
        client("application-autoscaling")
        .get_paginator("describe_scalable_targets")
        .paginate(ServiceNamespace="sagemaker", ResourceIds=ids, ScalableDimension=DIMENSION)
    )
    found = [target for page in pages for target in page["ScalableTargets"]]
    return [
        {
            "variant": target["ResourceId"].rpartition("/")[2],
            "min": target["MinCapacity"],
            "max": target["MaxCapacity"],
            "policies": _policies(target["ResourceId"]),
        }
        for target in found
    ]


def hold_machines(endpoint: str, variant: str) -> None:
    """Let no machine of a variant go until `set_target`; some may come.

    https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-suspend-resume-scaling.html
    """
    client("application-autoscaling").register_scalable_target(
        **_named(endpoint, variant), SuspendedState={"DynamicScalingInSuspended": True}
    )


def set_target(endpoint: str, target: Target) -> None:
    """Let a variant scale so and not otherwise; asked again, it changes nothing."""
    named = _named(endpoint, target["variant"])
    scaling = client("application-autoscaling")
    goes_on = {"SuspendedState": {"DynamicScalingInSuspended": False}} if target["min"] == 0 else {}
    scaling.register_scalable_target(**named, MinCapacity=target["min"], MaxCapacity=target["max"], **goes_on)
    wanted = {policy["PolicyName"] for policy in target["policies"]}
    for policy in _policies(named["ResourceId"]):
        if policy["PolicyName"] not in wanted:
            scaling.delete_scaling_policy(**named, PolicyName=policy["PolicyName"])
    for policy in target["policies"]:
        made = scaling.put_scaling_policy(**named, **policy)
        if policy["PolicyType"] == "StepScaling":
            _put_alarm(endpoint, made["PolicyARN"])


def remove_target(endpoint: str, variant: str) -> bool:
    """Let a variant scale no more; whether it did. Its policies and their alarms go with it."""
    try:
        client("application-autoscaling").deregister_scalable_target(**_named(endpoint, variant))
    except ClientError as error:
        if error_code(error) != "ObjectNotFoundException":
            raise
        return False
    return True


def remove_alarm(endpoint: str) -> None:
    """Remove the alarm of an endpoint that starts from nothing; none is fine, too."""
    client("cloudwatch").delete_alarms(AlarmNames=[alarm_name(endpoint)])


def alarm_name(endpoint: str) -> str:
    """Return the name of the alarm that starts the first machine."""
    return f"{endpoint}-{FROM_ZERO}"


def _policies(resource: str) -> list[dict[str, Any]]:
    pages = (
        client("application-autoscaling")
        .get_paginator("describe_scaling_policies")
        .paginate(ServiceNamespace="sagemaker", ResourceId=resource, ScalableDimension=DIMENSION)
    )
    return [
        {name: policy[name] for name in ("PolicyName", "PolicyType", *_CONFIGURATIONS) if name in policy}
        for page in pages
        for policy in page["ScalingPolicies"]
    ]


def _put_alarm(endpoint: str, policy_arn: str) -> None:
    """Work waits and there is no machine.

    https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference-autoscale.html (scale up from zero for new requests)
    """
    client("cloudwatch").put_metric_alarm(
        AlarmName=alarm_name(endpoint),
        AlarmDescription="Requests wait and no machine runs: Auto Scaling starts one.",
        Namespace="AWS/SageMaker",
        MetricName="HasBacklogWithoutCapacity",
        Dimensions=[{"Name": "EndpointName", "Value": endpoint}],
        Statistic="Average",
        Period=60,
        EvaluationPeriods=2,
        DatapointsToAlarm=2,
        Threshold=1,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        TreatMissingData="missing",
        AlarmActions=[policy_arn],
    )


def _named(endpoint: str, variant: str) -> dict[str, str]:
    return {
        "ServiceNamespace": "sagemaker",
        "ResourceId": _resource(endpoint, variant),
        "ScalableDimension": DIMENSION,
    }


def _resource(endpoint: str, variant: str) -> str:
    return f"endpoint/{endpoint}/variant/{variant}"
