"""CloudWatch: metrics that are recorded, alarms that are evaluated on them and tell their topics.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from threading import Event, RLock, Thread
from typing import TYPE_CHECKING, Any

from modelwright.local.calls.direct import PLATFORM, Direct
from modelwright.local.service import AwsError, Call

from . import queries
from .alarms import MINUTE_SECONDS, SCALING, alarm_state, check_alarm, latest, watched
from .metrics import Metric, Metrics, Recorded, dimensions_of
from .notice import trigger

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from modelwright.local.cloud import Cloud

_ALARM = "alarm"
_MADE = "alarm-made-by-a-caller"
_EVALUATE_EVERY_SECONDS = 10.0
_ACTIONS = {"ALARM": "AlarmActions", "OK": "OKActions", "INSUFFICIENT_DATA": "InsufficientDataActions"}
_log = logging.getLogger(__name__)


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
        self._lock = RLock()
        self._metrics = Metrics(cloud.database)
        self._alarms: dict[str, dict[str, Any]] = {}
        self._minutes: dict[str, float] = {}
        self._scaled: dict[str, float] = {}
        self._ended = Event()
        self._ticker = Thread(target=self._tick, name="alarms", daemon=True)

    def start(self) -> None:
        """Take up the metrics, and evaluate alarms from now on."""
        self._metrics.load()
        for _, alarm in self._cloud.database.all(_MADE):
            self._take_alarm(alarm)
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
        """Record many platform metrics at once; each alarm on them is evaluated once."""
        metrics = {each.metric for each in values}
        alarms = [alarm for alarm in self._all() if not metrics.isdisjoint(watched(alarm))]
        self._evaluate(
            [alarm for alarm in alarms if alarm["StateValue"] == "ALARM"]
        )  # it may be over: these are new ones
        self._metrics.record_all(values)
        self._evaluate(alarms)

    def evaluate(self) -> None:
        """Bring every alarm's state up to date."""
        self._evaluate(self._all())

    def scaling_by_average(self, resource: str) -> list[str]:
        """Return the names of the alarms on an average whose scaling policies are about this resource."""
        return [
            alarm["AlarmName"]
            for alarm in self._all()
            if alarm.get("Statistic") == "Average"
            and any(arn.startswith(SCALING) and resource in arn for arn in alarm.get("AlarmActions", ()))
        ]

    def pace(self, alarms: Iterable[str], minute_seconds: float) -> None:
        """Let a minute of these alarms' definitions last so long from now on; 60 is CloudWatch's own."""
        with self._lock:
            for name in alarms:
                self._minutes[name] = minute_seconds

    def _all(self) -> list[dict[str, Any]]:
        with self._lock:
            return list(self._alarms.values())

    def _evaluate(self, alarms: list[dict[str, Any]]) -> None:
        for alarm in alarms:
            minute = self._minutes.get(alarm["AlarmName"], MINUTE_SECONDS)
            state, reason = alarm_state(alarm, self._metrics, self._cloud.clock.time(), minute)
            self._set_state(alarm, state, reason)
            if state == "ALARM":
                self._scale(alarm)

    def _scale(self, alarm: dict[str, Any]) -> None:
        """Tell an alarm's scaling policies that it is on, once a minute as long as it is.

        "the alarm continues to invoke the action once per minute for as long as the alarm remains in the state":
        https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html
        """
        policies = [arn for arn in alarm.get("AlarmActions", []) if arn.startswith(SCALING)]
        now, minute = self._cloud.clock.time(), self._minutes.get(alarm["AlarmName"], MINUTE_SECONDS)
        with self._lock:
            is_due = now - self._scaled.get(alarm["AlarmName"], -minute) >= minute
            if not policies or not is_due or not alarm.get("ActionsEnabled", True):
                return
            self._scaled[alarm["AlarmName"]] = now
        scaling: Any = self._cloud.services["application-autoscaling"]
        for arn in policies:
            scaling.trigger(arn, alarm, latest(alarm, self._metrics, now, minute))

    def _set_state(self, alarm: dict[str, Any], state: str, reason: str) -> None:
        with self._lock:
            before = alarm["StateValue"]
            if before == state:
                return
            alarm.update(StateValue=state, StateReason=reason, StateUpdatedTimestamp=self._cloud.clock.time())
            self._scaled.pop(alarm["AlarmName"], None)
            self._cloud.database.put(
                _ALARM,
                alarm["AlarmName"],
                {key: alarm[key] for key in ("StateValue", "StateReason", "StateUpdatedTimestamp")},
            )
        if alarm.get("ActionsEnabled", True):
            self._act(alarm, before)

    def _act(self, alarm: dict[str, Any], before: str) -> None:
        for arn in alarm.get(_ACTIONS[alarm["StateValue"]], []):
            if arn.startswith(SCALING):
                continue  # see _scale
            try:
                self._let_in(alarm, arn)
                Direct(self._cloud, "sns").publish(
                    TopicArn=arn,
                    Subject=f'{alarm["StateValue"]}: "{alarm["AlarmName"]}" in {self._cloud.region}'[:100],
                    Message=json.dumps(self._message(alarm, before)),
                )
            except Exception:  # noqa: BLE001 - AWS drops a failed action too; it must not end the evaluation of the others
                _log.exception("alarm action failed alarm=%s topic=%s", alarm["AlarmName"], arn)

    def _let_in(self, alarm: dict[str, Any], topic: str) -> None:
        """Raise AwsError unless CloudWatch may publish; a topic without a policy takes its own account's alarms.

        With or without a policy, a topic under a key needs that key's consent.
        """
        source = {"aws:SourceArn": self._arn(alarm["AlarmName"])}
        if self._cloud.iam.has_policy("sns:Publish", topic):
            self._cloud.iam.authorize_service("cloudwatch.amazonaws.com", "sns:Publish", topic, source)
        else:
            self._cloud.iam.authorize_key("cloudwatch.amazonaws.com", topic, source)

    def _message(self, alarm: dict[str, Any], before: str) -> dict[str, Any]:
        """AWS's own notification, but for what only other kinds of alarms have."""
        return {
            "AlarmName": alarm["AlarmName"],
            "AlarmDescription": alarm.get("AlarmDescription"),
            "AWSAccountId": self._cloud.account,
            "NewStateValue": alarm["StateValue"],
            "NewStateReason": alarm["StateReason"],
            "StateChangeTime": self._cloud.clock.now().isoformat(),
            "Region": self._cloud.region,
            "AlarmArn": self._arn(alarm["AlarmName"]),
            "OldStateValue": before,
            "Trigger": trigger(alarm),
        }

    def _arn(self, name: str) -> str:
        return f"arn:aws:cloudwatch:{self._cloud.region}:{self._cloud.account}:alarm:{name}"

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
        self._take_alarm(params)
        return {}

    def _take_alarm(self, params: dict[str, Any]) -> None:
        kept = self._cloud.database.get(_ALARM, params["AlarmName"])
        state = kept or {
            "StateValue": "INSUFFICIENT_DATA",
            "StateReason": "Unchecked: Initial alarm creation",
            "StateUpdatedTimestamp": self._cloud.clock.time(),
        }
        with self._lock:
            self._alarms[params["AlarmName"]] = {**params, **state}

    def _delete_alarms(self, params: dict[str, Any]) -> dict[str, Any]:
        with self._lock:
            for name in params["AlarmNames"]:
                self._alarms.pop(name, None)
                self._cloud.database.delete(_ALARM, name)
                self._cloud.database.delete(_MADE, name)
        return {}

    def _describe_alarms(self, params: dict[str, Any]) -> dict[str, Any]:
        names, prefix, state = params.get("AlarmNames"), params.get("AlarmNamePrefix", ""), params.get("StateValue")
        alarms = [
            alarm
            for alarm in self._all()
            if (not names or alarm["AlarmName"] in names) and alarm["AlarmName"].startswith(prefix)
        ]
        self._evaluate(alarms)
        return {"MetricAlarms": [self._described(alarm) for alarm in alarms if state in {None, alarm["StateValue"]}]}

    def _described(self, alarm: dict[str, Any]) -> dict[str, Any]:
        updated = datetime.fromtimestamp(alarm["StateUpdatedTimestamp"], UTC)
        return {**alarm, "AlarmArn": self._arn(alarm["AlarmName"]), "StateUpdatedTimestamp": updated}

    def _set_alarm_state(self, params: dict[str, Any]) -> dict[str, Any]:
        alarm = self._alarms.get(params["AlarmName"])
        if alarm is None:
            raise AwsError("ResourceNotFound", f"Alarm {params['AlarmName']} does not exist", 404)
        self._set_state(alarm, params["StateValue"], params["StateReason"])
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
            self._evaluate([alarm for alarm in self._all() if metric in watched(alarm)])
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
