"""An alarm's notification for a person: what happened, what was measured, what to do.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html
"""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any

_TO_DO = " What to do: "
SIGNS = {
    "GreaterThanThreshold": ">",
    "GreaterThanOrEqualToThreshold": ">=",
    "LessThanThreshold": "<",
    "LessThanOrEqualToThreshold": "<=",
}
_VALUES = re.compile(r"datapoints? \[([^][]*)\]")


def alarm_notice(message: str) -> dict[str, Any] | None:
    """Return the notification in `message`; None when it is something else."""
    try:
        found = json.loads(message)
    except ValueError:
        return None
    return found if isinstance(found, dict) and "AlarmName" in found and "Trigger" in found else None


def readable(notice: dict[str, Any]) -> str:
    """Return the lines about an alarm; commands are those that ask the local cloud."""
    what, _, to_do = str(notice.get("AlarmDescription") or "").replace(" --aws`", "`").partition(_TO_DO)
    lines = {
        "what": what or notice["AlarmName"],
        "measured": _measured(notice),
        "since": _since(notice["StateChangeTime"]),
        "what to do": to_do,
        "alarm": f"{notice['AlarmName']}, now {notice['NewStateValue']}, was {notice['OldStateValue']}",
    }
    shown = {name: text for name, text in lines.items() if text}
    return "\n".join([shown.pop("what"), *(f"{name}: {text}" for name, text in shown.items())])


def _measured(notice: dict[str, Any]) -> str:
    """The points that crossed the threshold, and the threshold: `Sum of ExecutionsFailed in 5 minutes: 1 > 0`."""
    trigger = notice["Trigger"]
    found = _VALUES.search(notice.get("NewStateReason", ""))
    values = re.sub(r" \([^)]*\)", "", found[1]) if found else ""
    numbers = ", ".join(number(text) for text in values.split(", ") if text) or "no data"
    sign, threshold = SIGNS[trigger["ComparisonOperator"]], number(trigger["Threshold"])
    return f"{measured_quantity(trigger)}: {numbers} {sign} {threshold}"


def measured_quantity(trigger: dict[str, Any]) -> str:
    """Return what an alarm measures, from the notification's `Trigger`."""
    if "Metrics" not in trigger:
        statistic = trigger.get("ExtendedStatistic") or trigger["Statistic"].capitalize()
        return f"{statistic} of {trigger['MetricName']} in {_time(trigger['Period'])}"
    (expression,) = (entry["Expression"] for entry in trigger["Metrics"] if "Expression" in entry)
    stats = {entry["Id"]: entry["MetricStat"] for entry in trigger["Metrics"] if "MetricStat" in entry}
    names = {identity: stat["Metric"]["MetricName"] for identity, stat in stats.items()}
    if len(set(names.values())) == 1:  # a sum over many
        expression = f"all {next(iter(names.values()))}"
    else:
        expression = re.sub(r"\b[a-z]\w*", lambda word: names.get(word[0], word[0]), expression)
    return f"{expression} in {_time(next(iter(stats.values()))['Period'])}"


def _time(seconds: int) -> str:
    for unit, length in (("hour", 3600), ("minute", 60)):
        if seconds % length == 0:
            number = seconds // length
            return f"{number} {unit}{'' if number == 1 else 's'}"
    return f"{seconds} seconds"


def number(value: Any) -> str:
    """Return a number as people write it; what is none as it is."""
    try:
        found = float(value)
    except ValueError:
        return str(value)
    return f"{found:,.0f}" if abs(found) >= 10_000 else f"{found:g}"


def _since(text: str) -> str:
    moment = datetime.fromisoformat(text.replace("+0000", "+00:00"))
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
