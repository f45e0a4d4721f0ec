"""CloudWatch: metrics that are recorded, alarms that are evaluated on them and tell their topics.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

from datetime import UTC, datetime
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

from modelwright.local.calls.direct import PLATFORM
from modelwright.local.service import AwsError, Call

from . import queries
from .actions import alarm_arn, scaling_policies
from .alarms import check_alarm, watched
from .metrics import Metric, Metrics, Recorded, dimensions_of
from .states import AlarmStates

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from modelwright.local.cloud import Cloud

_MADE = "alarm-made-by-a-caller"
_EVALUATE_EVERY_SECONDS = 10.0


class CloudWatch:
    """The service `cloudwatch`.

    An alarm is evaluated when a value of one of its metrics arrives, when it is described, and every ten seconds; AWS
    does so once a minute. States are kept between starts.
    """

    name = "cloudwatch"
    operations = frozenset(
        {
            "DeleteAlarms",
            "DescribeAlarms",
            "GetDashboard",
            "GetMetricData",
            "GetMetricStatistics",
            "ListMetrics",
            "PutMetricAlarm",
            "PutMetricData",
            "SetAlarmState",
        }
    )
    falls_through = False

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._metrics = Metrics(cloud.database)
        self._states = AlarmStates(cloud, self._metrics)
        self._ended = Event()
        self._ticker = Thread(target=self._tick, name="alarms", daemon=True)

    def start(self) -> None:
        """Take up the metrics, and evaluate alarms from now on."""
        self._metrics.load()
        for _, alarm in self._cloud.database.all(_MADE):
            self._states.take(alarm)
        self._ticker.start()

    def stop(self) -> None:
        """Stop evaluating."""
        self._ended.set()
        if self._ticker.is_alive():
            self._ticker.join()

    def _tick(self) -> None:
        while not self._ended.wait(_EVALUATE_EVERY_SECONDS):
            self.evaluate()

    def record(self, namespace: str, name: str, value: float, unit: str, dimensions: Mapping[str, str]) -> None:
        """Record a platform metric (`AWS/States` …) and evaluate the alarms on it."""
        self.record_all([Recorded(Metric.of(namespace, name, dimensions), self._cloud.clock.time(), value, unit)])

    def record_all(self, values: Sequence[Recorded]) -> None:
        """Record many platform metrics at once; each alarm on them is evaluated once.

        It is evaluated for the moment of the newest value: on a busy machine that may have been a while ago, and by now
        lie before what the alarm looks at.
        """
        metrics = {each.metric for each in values}
        alarms = [alarm for alarm in self._states.all() if not metrics.isdisjoint(watched(alarm))]
        before = [alarm for alarm in alarms if alarm["StateValue"] == "ALARM"]
        self._states.evaluate(before)  # one may be over by now: what these values set off is a new one
        self._metrics.record_all(values)
        self._states.evaluate(alarms, max((each.at for each in values), default=None))

    def evaluate(self) -> None:
        """Bring every alarm's state up to date."""
        self._states.evaluate(self._states.all())

    def scaling_by_average(self, resource: str) -> list[str]:
        """Return the names of the alarms on an average whose scaling policies are about this resource."""
        return [
            alarm["AlarmName"]
            for alarm in self._states.all()
            if alarm.get("Statistic") == "Average" and any(resource in arn for arn in scaling_policies(alarm))
        ]

    def pace(self, alarms: Iterable[str], minute_seconds: float) -> None:
        """Let a minute of these alarms' definitions last so long from now on; 60 is CloudWatch's own."""
        self._states.pace(alarms, minute_seconds)

    def handle(self, call: Call) -> dict[str, Any]:
        """Answer one request."""
        return {
            "DeleteAlarms": self._delete_alarms,
            "DescribeAlarms": self._describe_alarms,
            "GetDashboard": self._get_dashboard,
            "GetMetricData": lambda params: queries.get_data(self._metrics, params),
            "GetMetricStatistics": lambda params: queries.get_statistics(self._metrics, params),
            "ListMetrics": lambda params: queries.list_metrics(self._metrics, params),
            "PutMetricAlarm": lambda params: self._put_alarm(params, keep=call.caller is not PLATFORM),
            "PutMetricData": self._put_data,
            "SetAlarmState": self._set_alarm_state,
        }[call.operation](call.params)

    def _get_dashboard(self, params: dict[str, Any]) -> dict[str, Any]:
        name = params["DashboardName"]
        found = self._cloud.database.get("dashboard", name)
        if found is None:
            raise AwsError("ResourceNotFound", f"Dashboard {name} does not exist", 404)
        arn = f"arn:aws:cloudwatch::{self._cloud.account}:dashboard/{name}"
        return {"DashboardArn": arn, "DashboardBody": found["body"], "DashboardName": name}

    def _put_alarm(self, params: dict[str, Any], *, keep: bool) -> dict[str, Any]:
        """Make an alarm; those of the template are made again at each start, a caller's own are kept."""
        _refuse(lambda: check_alarm(params))
        if keep:
            self._cloud.database.put(_MADE, params["AlarmName"], params)
        self._states.take(params)
        return {}

    def _delete_alarms(self, params: dict[str, Any]) -> dict[str, Any]:
        for name in params["AlarmNames"]:
            self._states.forget(name)
            self._cloud.database.delete(_MADE, name)
        return {}

    def _describe_alarms(self, params: dict[str, Any]) -> dict[str, Any]:
        names, prefix, state = params.get("AlarmNames"), params.get("AlarmNamePrefix", ""), params.get("StateValue")
        alarms = [
            alarm
            for alarm in self._states.all()
            if (not names or alarm["AlarmName"] in names) and alarm["AlarmName"].startswith(prefix)
        ]
        self._states.evaluate(alarms)
        return {"MetricAlarms": [self._described(alarm) for alarm in alarms if state in {None, alarm["StateValue"]}]}

    def _described(self, alarm: dict[str, Any]) -> dict[str, Any]:
        updated = datetime.fromtimestamp(alarm["StateUpdatedTimestamp"], UTC)
        return {**alarm, "AlarmArn": alarm_arn(self._cloud, alarm["AlarmName"]), "StateUpdatedTimestamp": updated}

    def _set_alarm_state(self, params: dict[str, Any]) -> dict[str, Any]:
        alarm = self._states.get(params["AlarmName"])
        if alarm is None:
            raise AwsError("ResourceNotFound", f"Alarm {params['AlarmName']} does not exist", 404)
        self._states.set_state(alarm, params["StateValue"], params["StateReason"])
        return {}

    def _put_data(self, params: dict[str, Any]) -> dict[str, Any]:
        for entry in params.get("MetricData", []):
            metric = Metric.of(params["Namespace"], entry["MetricName"], dimensions_of(entry.get("Dimensions")))
            at = queries.epoch(entry["Timestamp"]) if "Timestamp" in entry else self._cloud.clock.time()
            for value, count in _values(entry):
                _refuse(
                    lambda v=value, c=count, m=metric, e=entry, t=at: self._metrics.record(
                        m, t, v, e.get("Unit", "None"), c
                    )
                )
            self._states.evaluate([alarm for alarm in self._states.all() if metric in watched(alarm)])
        return {}


def _values(entry: Mapping[str, Any]) -> list[tuple[float, float]]:
    if "Values" in entry:
        return list(zip(entry["Values"], entry.get("Counts") or [1.0] * len(entry["Values"]), strict=True))
    if "StatisticValues" in entry:
        raise AwsError(
            "InvalidParameterCombination", "StatisticValues are not supported by the local cloud; send Value or Values."
        )
    return [(entry["Value"], 1.0)]


def _refuse(action: Any) -> None:
    """Run it; what it finds wrong is AWS's InvalidParameterValue."""
    try:
        action()
    except ValueError as error:
        raise AwsError("InvalidParameterValue", str(error)) from None
