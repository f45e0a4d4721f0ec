"""Deployment guardrails: the traffic moves to a new fleet in steps, and alarms send it back.

https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-blue-green.html
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Sequence

    from modelwright.local.cloud import Cloud
    from modelwright.local.sagemaker.hosting.fleet import Fleet, Traffic

LOOK_EVERY_SECONDS = 0.5
LONGEST_REQUEST_SECONDS = 70.0
"""the model server ends one after 60 s, and the alarms need a few more that did"""


class RolledBack(Exception):  # noqa: N818  # it is an outcome of a deployment
    """The new fleet must not serve; the message is the reason."""


class CutOff(Exception):  # noqa: N818  # as above
    """The local cloud ends during a baking period: nobody knows what would have become of it."""


class Guard:
    """Watches the alarms of an AutoRollbackConfiguration, as the model's execution role (cloudwatch:DescribeAlarms)."""

    def __init__(self, cloud: Cloud, role: str, alarms: Sequence[str]) -> None:
        """Watch alarms by their names, which may be none."""
        self._cloud = cloud
        self._role = role
        self._names = list(alarms)

    def check(self) -> None:
        """Raise RolledBack when an alarm is in ALARM, is not there, or may not be read."""
        if not self._names:
            return
        try:
            client = self._cloud.client("cloudwatch", self._role)
            found = client.describe_alarms(AlarmNames=self._names, MaxRecords=100)
        except ClientError as error:
            raise RolledBack(f"The alarms {', '.join(self._names)} cannot be read by {self._role}: {error}") from None
        alarms = {
            alarm["AlarmName"]: alarm for kind in ("MetricAlarms", "CompositeAlarms") for alarm in found.get(kind, [])
        }
        missing = [name for name in self._names if name not in alarms]
        if missing:
            raise RolledBack(f"There is no alarm {', '.join(missing)}.")
        fired = [name for name, alarm in alarms.items() if alarm["StateValue"] == "ALARM"]
        if fired:
            reason = alarms[fired[0]].get("StateReason", "")
            raise RolledBack(f"The alarm {', '.join(fired)} is in ALARM: {reason}")


def shift(
    traffic: Traffic, fleet: Fleet, shares: Sequence[float], bake: Bake, at: Callable[[str], None] = lambda _: None
) -> None:
    """Move the traffic to `fleet` share by share; RolledBack, with everything on the old fleet again, by an alarm.

    `at` is told the stage, in AWS's words of a variant's status: ActivatingTraffic, Baking.
    """
    old = traffic.fleet
    try:
        bake.guard.check()
        for share in shares:
            at("ActivatingTraffic")
            traffic.route((fleet, share), *([(old, 1 - share)] if old is not None else []))
            at("Baking")
            bake.wait()
    except BaseException:
        traffic.route(*([(old, 1.0)] if old is not None else []))
        raise


class Bake:
    """The time that is waited after each step, with an eye on the alarms."""

    def __init__(  # noqa: PLR0913  # by keyword but for what each bake has
        self,
        guard: Guard,
        seconds: float,
        stopping: threading.Event,
        *,
        interval: float = 0.0,
        limit: float | None = None,
        is_late: Callable[[], bool] = lambda: False,
        counted: Callable[[], None] = lambda: None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """Wait for `seconds`, or until `stopping`.

        Args:
            guard: its alarms.
            seconds: how long a baking period lasts here.
            stopping: the end of the local cloud.
            interval: how long it lasts on AWS; with that, and not with the time here, the limit is compared.
            limit: the deployment's MaximumExecutionTimeoutInSeconds, of AWS's time.
            is_late: whether requests are under way of which the alarms should have heard by now.
            counted: returns when the alarms have heard of what was answered by now.
            now: a clock that runs as `stopping` waits.
        """
        self.guard = guard
        self._seconds = seconds
        self._stopping = stopping
        self._interval = interval
        self._limit = limit
        self._is_late = is_late
        self._counted = counted
        self._now = now
        self._spent = 0.0

    def wait(self) -> None:
        """Return when the time is over; RolledBack when an alarm fires, CutOff at the end of the local cloud.

        The alarms are read at least once.

        A model that hangs tells nothing as long as it does: in minutes that are shorter than AWS's, the time is over
        only when requests that came in it have ended. RolledBack also when AWS would have reached the deployment's time
        limit by then.
        """
        end = self._now() + self._seconds
        last = end + (LONGEST_REQUEST_SECONDS if self._seconds > 0 else 0.0)
        while True:
            self.guard.check()
            left = end - self._now()
            if left <= 0 and self._now() < last and self._is_late():
                left = LOOK_EVERY_SECONDS
            if left <= 0:
                break
            if self._stopping.wait(min(left, LOOK_EVERY_SECONDS)):
                raise CutOff
        if self._seconds > 0:  # short minutes and a busy machine: what was answered in them may not be counted yet
            self._counted()
            self.guard.check()
        self._spent += self._interval
        if self._limit is not None and self._spent > self._limit:
            raise RolledBack(
                f"The baking periods alone take {self._spent:g} s by now, and the deployment's "
                f"MaximumExecutionTimeoutInSeconds is {self._limit:g}."
            )
