"""CloudWatch, CloudWatch Logs and X-Ray.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatch.html
https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatchlogs.html
https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsx-ray.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelwright.local.iam.checks import Check, Mapper, Request, anywhere, on, tags_context

if TYPE_CHECKING:
    from modelwright.local.iam.patterns import Values


def _alarms(name: str) -> Mapper:
    """One check for each alarm that is named; all alarms when none is."""

    def mapper(request: Request) -> list[Check]:
        names = request.params.get("AlarmNames") or [request.text("AlarmName") or "*"]
        return [Check(f"cloudwatch:{name}", request.arn("cloudwatch", f"alarm:{alarm}")) for alarm in names]

    return mapper


def _put_alarm(name: str) -> Mapper:
    def mapper(request: Request) -> list[Check]:
        context = tags_context(request.params.get("Tags"))
        actions: Values = tuple(str(each) for each in request.params.get("AlarmActions") or ())
        target = request.arn("cloudwatch", f"alarm:{request.text('AlarmName')}")
        return [
            Check(f"cloudwatch:{name}", target, context | ({"cloudwatch:alarmactions": actions} if actions else {}))
        ]

    return mapper


def _put_metrics(request: Request) -> list[Check]:
    return [Check("cloudwatch:PutMetricData", "*", {"cloudwatch:namespace": request.text("Namespace")})]


def _dashboard(request: Request) -> str:
    return f"arn:{request.partition}:cloudwatch::{request.account}:dashboard/{request.text('DashboardName')}"


def _log_group(request: Request) -> str:
    given = request.text("logGroupIdentifier") or request.text("logGroupName") or request.text("resourceArn")
    return request.named("logs", "log-group:", given).removesuffix(":*")


def _in_log_group(request: Request) -> str:
    """All but tagging is checked below the group: `log-group:name` without `:*` in a policy does not let anyone in.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/iam-access-control-overview-cwl.html
    """
    return f"{_log_group(request)}:log-stream:{request.text('logStreamName')}"


_ALARMS = ("DeleteAlarms", "DescribeAlarmHistory", "DescribeAlarms", "DisableAlarmActions", "EnableAlarmActions")
_METRICS = ("DescribeAlarmsForMetric", "GetMetricData", "GetMetricStatistics", "GetMetricWidgetImage", "ListMetrics")
_LOGS: tuple[str, ...] = (
    "CreateLogGroup",
    "CreateLogStream",
    "DeleteLogGroup",
    "DeleteLogStream",
    "DeleteRetentionPolicy",
)
_LOGS += ("DescribeLogStreams", "DescribeSubscriptionFilters", "FilterLogEvents", "GetLogEvents", "PutLogEvents")
_LOGS += ("DescribeMetricFilters", "PutMetricFilter", "PutRetentionPolicy", "PutSubscriptionFilter")
CLOUDWATCH: dict[str, Mapper] = {
    **{name: _alarms(name) for name in (*_ALARMS, "SetAlarmState")},
    **on("cloudwatch", _dashboard, ("GetDashboard", "PutDashboard")),
    **anywhere("cloudwatch", (*_METRICS, "ListDashboards")),
    "PutMetricData": _put_metrics,
    "PutMetricAlarm": _put_alarm("PutMetricAlarm"),
    "PutCompositeAlarm": _put_alarm("PutCompositeAlarm"),
}

LOGS: dict[str, Mapper] = {
    **on("logs", _in_log_group, _LOGS),
    **on("logs", _log_group, ("ListTagsForResource", "TagResource", "UntagResource")),
    **anywhere("logs", ("DescribeLogGroups", "DescribeResourcePolicies", "PutResourcePolicy")),
}

XRAY: dict[str, Mapper] = anywhere(
    "xray",
    (
        "BatchGetTraces",
        "GetSamplingRules",
        "GetSamplingStatisticSummaries",
        "GetSamplingTargets",
        "GetServiceGraph",
        "GetTraceSummaries",
        "PutTelemetryRecords",
        "PutTraceSegments",
    ),
)
