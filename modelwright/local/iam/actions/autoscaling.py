"""Application Auto Scaling: the actions of its own; what it asks of the caller besides, the service itself checks.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsapplicationautoscaling.html
"""

from __future__ import annotations

from modelwright.local.autoscaling.scaling_records import target_id
from modelwright.local.iam.checks import Check, Mapper, Request, anywhere


def _on_target(name: str) -> Mapper:
    def mapper(request: Request) -> list[Check]:
        target = request.arn("application-autoscaling", f"scalable-target/{target_id(request.text('ResourceId'))}")
        context = {
            "application-autoscaling:service-namespace": request.text("ServiceNamespace"),
            "application-autoscaling:scalable-dimension": request.text("ScalableDimension"),
        }
        return [Check(f"application-autoscaling:{name}", target, context)]

    return mapper


_ON_TARGETS = ("RegisterScalableTarget", "DeregisterScalableTarget", "PutScalingPolicy", "DeleteScalingPolicy")
_LISTS = ("DescribeScalableTargets", "DescribeScalingPolicies", "DescribeScalingActivities")
OPERATIONS: dict[str, Mapper] = {
    **{name: _on_target(name) for name in _ON_TARGETS},
    **anywhere("application-autoscaling", _LISTS),
}
