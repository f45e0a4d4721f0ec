"""What an alarm does when its state changes: its topics are told, with AWS's own message; its scaling policies act.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-actions.html
"""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

from modelwright.local.calls.direct import Direct

from .alarms import SCALING
from .notice import trigger

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelwright.local.cloud import Cloud

_ACTIONS = {"ALARM": "AlarmActions", "OK": "OKActions", "INSUFFICIENT_DATA": "InsufficientDataActions"}
_log = logging.getLogger(__name__)


class Actions:
    """Does what alarms ask for."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def tell(self, alarm: Mapping[str, Any], before: str) -> None:
        """Tell the topics of the alarm's new state; a topic that cannot be told is an error in the log."""
        for arn in alarm.get(_ACTIONS[alarm["StateValue"]], []):
            if arn.startswith(SCALING):
                continue  # they are told as long as the alarm is on: scale
            try:
                self._let_in(alarm, arn)
                Direct(self._cloud, "sns").publish(
                    TopicArn=arn,
                    Subject=f'{alarm["StateValue"]}: "{alarm["AlarmName"]}" in {self._cloud.region}'[:100],
                    Message=json.dumps(self._message(alarm, before)),
                )
            except Exception:  # noqa: BLE001 - AWS drops a failed action too; it must not end the evaluation of the others
                _log.exception("alarm action failed alarm=%s topic=%s", alarm["AlarmName"], arn)

    def scale(self, alarm: Mapping[str, Any], values: list[tuple[float, float]], minute_seconds: float) -> None:
        """Let the alarm's scaling policies act on its metric's latest values, in minutes as long as the alarm's."""
        scaling: Any = self._cloud.services["application-autoscaling"]
        for arn in scaling_policies(alarm):
            scaling.trigger(arn, alarm, values, minute_seconds)

    def _let_in(self, alarm: Mapping[str, Any], topic: str) -> None:
        """Raise AwsError unless CloudWatch may publish; a topic without a policy takes its own account's alarms.

        With or without a policy, a topic under a key needs that key's consent.
        """
        source = {"aws:SourceArn": alarm_arn(self._cloud, alarm["AlarmName"])}
        if self._cloud.iam.has_policy("sns:Publish", topic):
            self._cloud.iam.authorize_service("cloudwatch.amazonaws.com", "sns:Publish", topic, source)
        else:
            self._cloud.iam.authorize_key("cloudwatch.amazonaws.com", topic, source)

    def _message(self, alarm: Mapping[str, Any], before: str) -> dict[str, Any]:
        """AWS's own notification, but for what only other kinds of alarms have."""
        return {
            "AlarmName": alarm["AlarmName"],
            "AlarmDescription": alarm.get("AlarmDescription"),
            "AWSAccountId": self._cloud.account,
            "NewStateValue": alarm["StateValue"],
            "NewStateReason": alarm["StateReason"],
            "StateChangeTime": self._cloud.clock.now().isoformat(),
            "Region": self._cloud.region,
            "AlarmArn": alarm_arn(self._cloud, alarm["AlarmName"]),
            "OldStateValue": before,
            "Trigger": trigger(alarm),
        }


def scaling_policies(alarm: Mapping[str, Any]) -> list[str]:
    """The ARNs of the scaling policies among what the alarm does when it goes off."""
    return [arn for arn in alarm.get("AlarmActions", ()) if arn.startswith(SCALING)]


def alarm_arn(cloud: Cloud, name: str) -> str:
    """The ARN of an alarm."""
    return f"arn:aws:cloudwatch:{cloud.region}:{cloud.account}:alarm:{name}"
