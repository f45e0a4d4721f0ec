"""CloudWatch alarms and dashboards."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelwright.local.calls.direct import Direct
from modelwright.local.template.intrinsics import Physical
from modelwright.local.template.registry import Level, Resource, resource

if TYPE_CHECKING:
    from modelwright.local.cloud import Cloud

_ALARM = (
    "ActionsEnabled",
    "AlarmActions",
    "AlarmDescription",
    "AlarmName",
    "ComparisonOperator",
    "DatapointsToAlarm",
    "Dimensions",
    "EvaluationPeriods",
    "ExtendedStatistic",
    "InsufficientDataActions",
    "MetricName",
    "Metrics",
    "Namespace",
    "OKActions",
    "Period",
    "Statistic",
    "Threshold",
    "TreatMissingData",
    "Unit",
)


def _remove_alarm(cloud: Cloud, resource: Resource, physical: Physical) -> None:
    Direct(cloud, "cloudwatch").delete_alarms(AlarmNames=[physical.id])


@resource(
    "AWS::CloudWatch::Alarm",
    Level.RUNS,
    "evaluated on the real metrics; changes state and publishes",
    remove=_remove_alarm,
)
def put_alarm(cloud: Cloud, resource: Resource) -> Physical:
    """A metric alarm."""
    resource.only(*_ALARM, "Tags")
    name = resource.properties.get("AlarmName") or resource.name(255)
    request = {key: resource.properties[key] for key in _ALARM if key in resource.properties}
    Direct(cloud, "cloudwatch").put_metric_alarm(**{**request, "AlarmName": name})
    return Physical(name, {"Arn": f"arn:aws:cloudwatch:{cloud.region}:{cloud.account}:alarm:{name}"})


def _remove_dashboard(cloud: Cloud, resource: Resource, physical: Physical) -> None:
    cloud.database.delete("dashboard", physical.id)


@resource(
    "AWS::CloudWatch::Dashboard",
    Level.RECORDED,
    "there is no console here to show it; `modelwright dashboard` draws it from the local metrics",
    remove=_remove_dashboard,
)
def put_dashboard(cloud: Cloud, resource: Resource) -> Physical:
    """A dashboard's text."""
    resource.only("DashboardName", "DashboardBody", "Tags")
    name = resource.properties.get("DashboardName") or resource.name(255)
    cloud.database.put("dashboard", name, {"body": resource.required("DashboardBody")})
    return Physical(name)
