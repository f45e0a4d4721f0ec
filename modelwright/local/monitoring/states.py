"""The states of all alarms: kept between starts, brought up to date, acted on when they change."""

from __future__ import annotations

import logging
from threading import RLock
from typing import TYPE_CHECKING, Any

from .actions import Actions, scaling_policies
from .alarms import REAL_TIME, Pace, alarm_state, latest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from modelwright.local.cloud import Cloud
    from modelwright.local.monitoring.metrics import Metrics

_KIND = "alarm"
_KEPT = ("StateValue", "StateReason", "StateUpdatedTimestamp")
_log = logging.getLogger(__name__)


class AlarmStates:
    """The alarms there are, with their states. Safe to use from many threads."""

    def __init__(self, cloud: Cloud, metrics: Metrics) -> None:
        self._cloud = cloud
        self._metrics = metrics
        self._actions = Actions(cloud)
        self._lock = RLock()
        self._alarms: dict[str, dict[str, Any]] = {}
        self._paces: dict[str, Pace] = {}
        self._scaled: dict[str, float] = {}

    def take(self, definition: Mapping[str, Any]) -> None:
        """Watch an alarm from now on, in place of one of that name; its state is the one that is kept."""
        name = definition["AlarmName"]
        state = self._cloud.database.get(_KIND, name) or {
            "StateValue": "INSUFFICIENT_DATA",
            "StateReason": "Unchecked: Initial alarm creation",
            "StateUpdatedTimestamp": self._cloud.clock.time(),
        }
        with self._lock:
            self._alarms[name] = {**definition, **state}

    def forget(self, name: str) -> None:
        """Watch an alarm no more."""
        with self._lock:
            self._alarms.pop(name, None)
            self._cloud.database.delete(_KIND, name)

    def get(self, name: str) -> dict[str, Any] | None:
        """The alarm of this name, if there is one."""
        return self._alarms.get(name)

    def all(self) -> list[dict[str, Any]]:
        """Every alarm."""
        with self._lock:
            return list(self._alarms.values())

    def pace(self, alarms: Iterable[str], minute_seconds: float) -> None:
        """Let a minute of these alarms' definitions last so long from now on; 60 is CloudWatch's own."""
        with self._lock:
            for name in alarms:
                before, alarm = self._paces.get(name, REAL_TIME), self._alarms.get(name, {})
                if minute_seconds < before.minute_seconds and scaling_policies(alarm):
                    self._paces[name] = Pace(minute_seconds, self._cloud.clock.time())
                elif minute_seconds != before.minute_seconds:
                    self._paces[name] = Pace(minute_seconds)

    def evaluate(self, alarms: Iterable[dict[str, Any]], at: float | None = None) -> None:
        """Bring the state of these alarms up to date, as they are at `at`: now, if nothing is said.

        One with which that fails is in the log, and looked at again the next time; the others are not held up.
        """
        for alarm in alarms:
            try:
                self._evaluate(alarm, self._cloud.clock.time() if at is None else at)
            except Exception:  # noqa: BLE001  # whoever recorded a value, or the thread that looks, must go on
                _log.exception("an alarm was not evaluated alarm=%s", alarm["AlarmName"])

    def _evaluate(self, alarm: dict[str, Any], at: float) -> None:
        state, reason = alarm_state(alarm, self._metrics, at, self._pace(alarm))
        self.set_state(alarm, state, reason)
        if state == "ALARM":
            self._scale(alarm, at)

    def set_state(self, alarm: dict[str, Any], state: str, reason: str) -> None:
        """Give the alarm this state; a change is kept and acted on."""
        with self._lock:
            before = alarm["StateValue"]
            if before == state or self._alarms.get(alarm["AlarmName"]) is not alarm:
                return  # as it was; or deleted or defined anew meanwhile
            kept = dict(zip(_KEPT, (state, reason, self._cloud.clock.time()), strict=True))
            self._cloud.database.put(_KIND, alarm["AlarmName"], kept)  # before it counts: what fails is done again
            alarm.update(kept)
            self._scaled.pop(alarm["AlarmName"], None)
        if alarm.get("ActionsEnabled", True):
            self._actions.tell(alarm, before)

    def _pace(self, alarm: Mapping[str, Any]) -> Pace:
        return self._paces.get(alarm["AlarmName"], REAL_TIME)

    def _scale(self, alarm: dict[str, Any], at: float) -> None:
        """Tell an alarm's scaling policies that it is on, once a minute as long as it is.

        "the alarm continues to invoke the action once per minute for as long as the alarm remains in the state":
        https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html
        """
        now, pace = self._cloud.clock.time(), self._pace(alarm)
        minute = pace.minute_seconds
        with self._lock:
            is_due = now - self._scaled.get(alarm["AlarmName"], -minute) >= minute
            if not scaling_policies(alarm) or not is_due or not alarm.get("ActionsEnabled", True):
                return
            self._scaled[alarm["AlarmName"]] = now
        self._actions.scale(alarm, latest(alarm, self._metrics, at, pace), minute)
