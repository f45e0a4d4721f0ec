"""Alarms by what they watch, not by a hashed id: the names of their metrics are unlike those of any other alarm."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

FAILED = frozenset({"ExecutionsFailed"})
TIMED_OUT = frozenset({"ExecutionsTimedOut"})
THROTTLED = frozenset({"ExecutionThrottled"})
REST = frozenset({"Invocations", "Errors"})
FUNCTION_ERRORS = frozenset({"Errors"})
FUNCTION_THROTTLES = frozenset({"Throttles"})
RULE = frozenset({"FailedInvocations"})
DEAD_LETTERS = frozenset({"ApproximateNumberOfMessagesVisible"})
TRIGGER_FUNCTION = frozenset({"Errors", "Throttles", "DeadLetterErrors"})
CLOSING = TRIGGER_FUNCTION | {"FailedInvocations"}
FLOOR = frozenset({"accuracy"})
"""of the environment's `metric_floors`"""
GATE_FLOORS = frozenset({"GateFloorsMissed"})
SERVER_ERRORS = frozenset({"Invocation5XXErrors", "Invocations"})
REFUSALS = frozenset({"Invocation4XXErrors", "Invocations"})
API_ERRORS = frozenset({"5XXError", "Count"})
API_REFUSALS = frozenset({"4XXError", "Count"})
LATENCY = frozenset({"ModelLatency"})
INSTANCES = frozenset({"Invocations", "MemoryUtilization"})
FULL = frozenset({"MemoryUtilization", "DiskUtilization"})


def metrics_of(alarm: Mapping[str, Any]) -> frozenset[str]:
    """The names of the metrics that an alarm watches."""
    stats = [entry["MetricStat"]["Metric"] for entry in alarm.get("Metrics", []) if "MetricStat" in entry]
    return frozenset(str(stat["MetricName"]) for stat in stats or [alarm])


def the_alarm(alarms: Iterable[Mapping[str, Any]], metrics: frozenset[str], saying: str = "") -> Mapping[str, Any]:
    """The one that watches these metrics; `saying` tells those of two functions apart.

    One that is about more than ten metrics has several parts, which say the same: the first then, which is full.
    """
    found = [alarm for alarm in alarms if metrics_of(alarm) == metrics and saying in alarm["AlarmDescription"]]
    assert len({alarm["AlarmDescription"] for alarm in found}) == 1, found
    return max(found, key=lambda alarm: len(alarm.get("Metrics", [])))


def expression_of(alarm: Mapping[str, Any]) -> str:
    """The metric math of an alarm."""
    (found,) = (entry["Expression"] for entry in alarm["Metrics"] if "Expression" in entry)
    return str(found)
