"""What Step Functions tells of an execution elsewhere: EventBridge, CloudWatch metrics, CloudWatch Logs."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from modelwright.local.stepfunctions.records import execution_digest

if TYPE_CHECKING:
    from modelwright.local.cloud import Cloud

_ENDED: Final = {
    "SUCCEEDED": "ExecutionsSucceeded",
    "FAILED": "ExecutionsFailed",
    "TIMED_OUT": "ExecutionsTimedOut",
    "ABORTED": "ExecutionsAborted",
}
_FATAL: Final = frozenset({"ExecutionAborted", "ExecutionFailed", "ExecutionTimedOut"})
# https://docs.aws.amazon.com/step-functions/latest/dg/cloudwatch-log-level.html
_ERROR: Final = _FATAL | {
    "EvaluationFailed",
    "FailStateEntered",
    "LambdaFunctionFailed",
    "LambdaFunctionScheduleFailed",
    "LambdaFunctionStartFailed",
    "LambdaFunctionTimedOut",
    "MapIterationAborted",
    "MapIterationFailed",
    "MapStateAborted",
    "MapStateFailed",
    "ParallelStateAborted",
    "ParallelStateFailed",
    "TaskFailed",
    "TaskStartFailed",
    "TaskStateAborted",
    "TaskSubmitFailed",
    "TaskTimedOut",
    "WaitStateAborted",
}
_DATA: Final = ("input", "inputDetails", "output", "outputDetails", "assignedVariables", "assignedVariablesDetails")


def tell_status(cloud: Cloud, record: dict[str, Any]) -> None:
    """Publish `Step Functions Execution Status Change` and the metrics of AWS/States for a new status.

    https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html
    https://docs.aws.amazon.com/step-functions/latest/dg/procedure-cw-metrics.html
    """
    cloud.publish_event(status_event(record))
    dimensions = {"StateMachineArn": record["stateMachineArn"]}
    status = record["status"]
    if status == "RUNNING":
        cloud.put_metric("AWS/States", "ExecutionsStarted", 1, "Count", dimensions)
        return
    cloud.put_metric("AWS/States", _ENDED[status], 1, "Count", dimensions)
    milliseconds = (record["stopDate"] - record["startDate"]) * 1000
    cloud.put_metric("AWS/States", "ExecutionTime", milliseconds, "Milliseconds", dimensions)


def status_event(record: dict[str, Any]) -> dict[str, Any]:
    """Give the event of an execution's status."""
    output = record.get("output")
    detail = {
        "executionArn": record["executionArn"],
        "stateMachineArn": record["stateMachineArn"],
        "stateMachineVersionArn": None,
        "stateMachineAliasArn": None,
        "name": record["name"],
        "status": record["status"],
        "startDate": round(record["startDate"] * 1000),
        "stopDate": round(record["stopDate"] * 1000) if "stopDate" in record else None,
        "input": record["input"],
        "inputDetails": {"included": True},
        "output": output,
        "outputDetails": {"included": True} if output is not None else None,
        "error": record.get("error"),
        "cause": record.get("cause"),
    }
    return {
        "source": "aws.states",
        "detail-type": "Step Functions Execution Status Change",
        "resources": [record["executionArn"]],
        "detail": detail,
    }


class ExecutionLog:
    """Which events of an execution go to its log group, and as what line."""

    def __init__(self, logging: dict[str, Any], execution_arn: str, machine_name: str, started: float) -> None:
        self._level = logging.get("level", "OFF")
        self._with_data = bool(logging.get("includeExecutionData"))
        self._execution_arn = execution_arn
        self._group = log_group(logging)
        minute = datetime.fromtimestamp(started, UTC).strftime("%Y-%m-%d-%H-%M")
        self._stream = f"states/{machine_name}/{minute}/{execution_digest(execution_arn)[:8]}"

    def line(self, event: dict[str, Any]) -> tuple[tuple[str, str], tuple[float, str]] | None:
        """Give where an event is logged, and as what; None when the level leaves it out."""
        if self._group is None or not self._wanted(event["type"]):
            return None
        return (self._group, self._stream), (event["timestamp"], self._text(event))

    def _wanted(self, event_type: str) -> bool:
        if self._level == "ALL":
            return True
        return event_type in {"ERROR": _ERROR, "FATAL": _FATAL}.get(self._level, frozenset())

    def _text(self, event: dict[str, Any]) -> str:
        details: dict[str, Any] = next((value for name, value in event.items() if name.endswith("EventDetails")), {})
        if not self._with_data:
            details = {name: value for name, value in details.items() if name not in _DATA}
        entry = {
            "id": str(event["id"]),
            "type": event["type"],
            "details": details,
            "redrive_count": "0",
            "previous_event_id": str(event["previousEventId"]),
            "event_timestamp": str(round(event["timestamp"] * 1000)),
            "execution_arn": self._execution_arn,
        }
        return json.dumps(entry, separators=(",", ":"))


def log_group(logging: dict[str, Any]) -> str | None:
    """Give the log group's name of a LoggingConfiguration; None when nothing is logged."""
    if logging.get("level", "OFF") == "OFF" or not logging.get("destinations"):
        return None
    arn = logging["destinations"][0]["cloudWatchLogsLogGroup"]["logGroupArn"]
    return str(arn.split(":log-group:", 1)[1].removesuffix(":*"))
