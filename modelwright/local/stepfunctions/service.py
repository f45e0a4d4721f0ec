"""The AWS service `stepfunctions` of the local cloud."""

from __future__ import annotations

import base64
import binascii
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from modelwright.local.service import AwsError
from modelwright.local.stepfunctions.checks import all_problems
from modelwright.local.stepfunctions.executions import Executions
from modelwright.local.stepfunctions.machines import Machine, Machines

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelwright.local.cloud import Cloud
    from modelwright.local.service import Call

DEFAULT_PAGE: Final = 100
MAX_PAGE: Final = 1000
_HIDDEN: Final = ("input", "inputDetails", "output", "outputDetails", "parameters")
Answer = dict[str, Any]


class StepFunctions:
    """State machines and executions, answered in botocore's shapes."""

    name = "stepfunctions"
    falls_through = False

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self.machines = Machines(cloud)
        self.executions = Executions(cloud)
        self._handlers: dict[str, Callable[[Answer], Answer]] = {
            "CreateStateMachine": self._create,
            "DeleteStateMachine": self._delete,
            "DescribeExecution": self._describe_execution,
            "DescribeStateMachine": self._describe,
            "DescribeStateMachineForExecution": self._describe_for_execution,
            "GetExecutionHistory": self._history,
            "ListExecutions": self._list_executions,
            "ListStateMachines": self._list,
            "ListTagsForResource": self._list_tags,
            "StartExecution": self._start,
            "StopExecution": self._stop,
            "TagResource": self._tag,
            "UntagResource": self._untag,
            "UpdateStateMachine": self._update,
            "ValidateStateMachineDefinition": self._validate,
        }
        self.operations = frozenset(self._handlers)

    def handle(self, call: Call) -> Answer:
        """Answer one request."""
        return self._handlers[call.operation](call.params)

    def start(self) -> None:
        """End, as failed, what ran when the local cloud was killed."""
        self.executions.recover()

    def resume(self) -> None:
        """Tell the template's rules how what ran when the local cloud was killed or stopped has ended."""
        self.executions.tell_again()

    def stop(self) -> None:
        """Stop what runs and record it."""
        self.executions.close()

    def _create(self, params: Answer) -> Answer:
        machine = self.machines.create(params)
        return {"stateMachineArn": machine.arn, "creationDate": machine.created}

    def _update(self, params: Answer) -> Answer:
        machine = self.machines.update(params)
        return {"updateDate": self._cloud.clock.now(), "revisionId": machine.revision}

    def _delete(self, params: Answer) -> Answer:
        self.machines.delete(params["stateMachineArn"])
        return {}

    def _describe(self, params: Answer) -> Answer:
        machine = self.machines.get(params["stateMachineArn"])
        return {
            "stateMachineArn": machine.arn,
            "name": machine.name,
            "status": "ACTIVE",
            "definition": machine.definition,
            "roleArn": machine.role_arn,
            "type": "STANDARD",
            "creationDate": machine.created,
            "loggingConfiguration": machine.logging or {"level": "OFF", "includeExecutionData": False},
            "tracingConfiguration": machine.tracing or {"enabled": False},
            "revisionId": machine.revision,
        }

    def _describe_for_execution(self, params: Answer) -> Answer:
        record = self.executions.get(params["executionArn"])
        return {
            "stateMachineArn": record["stateMachineArn"],
            "name": record["machineName"],
            "definition": self.executions.records.definition(record["definition"]),
            "roleArn": record["roleArn"],
            "updateDate": _date(record["startDate"]),
        }

    def _list(self, params: Answer) -> Answer:
        found = [_list_item(machine) for machine in self.machines.all()]
        page, token = _page(found, params)
        return {"stateMachines": page, **token}

    def _list_tags(self, params: Answer) -> Answer:
        machine = self.machines.get(params["resourceArn"])
        return {"tags": [{"key": key, "value": value} for key, value in sorted(machine.tags.items())]}

    def _tag(self, params: Answer) -> Answer:
        self.machines.tag(params["resourceArn"], {tag["key"]: tag["value"] for tag in params["tags"]})
        return {}

    def _untag(self, params: Answer) -> Answer:
        self.machines.tag(params["resourceArn"], {}, params["tagKeys"])
        return {}

    def _validate(self, params: Answer) -> Answer:
        found = all_problems(params["definition"])
        code = "SCHEMA_VALIDATION_FAILED"
        diagnostics = [
            {"severity": "ERROR", "code": code, "message": problem.message, "location": problem.location}
            for problem in found
        ]
        return {"result": "FAIL" if found else "OK", "diagnostics": diagnostics, "truncated": False}

    def _start(self, params: Answer) -> Answer:
        machine = self.machines.get(params["stateMachineArn"])
        record = self.executions.start(
            machine, params.get("name"), params.get("input", "{}"), params.get("traceHeader")
        )
        return {"executionArn": record["executionArn"], "startDate": _date(record["startDate"])}

    def _stop(self, params: Answer) -> Answer:
        self.executions.get(params["executionArn"])
        stopped = self.executions.stop(params["executionArn"], params.get("error"), params.get("cause"))
        return {"stopDate": _date(stopped)}

    def _describe_execution(self, params: Answer) -> Answer:
        record = self.executions.get(params["executionArn"])
        names = (
            "executionArn",
            "stateMachineArn",
            "name",
            "status",
            "input",
            "output",
            "error",
            "cause",
            "traceHeader",
        )
        answer: Answer = {name: record[name] for name in names if name in record}
        answer["inputDetails"] = {"included": True}
        if "output" in record:
            answer["outputDetails"] = {"included": True}
        return {**answer, **_dates(record), "redriveCount": 0}

    def _list_executions(self, params: Answer) -> Answer:
        machine = self.machines.get(params["stateMachineArn"])
        prefix = f"{machine.arn.replace(':stateMachine:', ':execution:')}:"
        wanted = params.get("statusFilter")
        found = [
            {
                **{name: record[name] for name in ("executionArn", "stateMachineArn", "name", "status")},
                **_dates(record),
                "redriveCount": 0,
            }
            for record in self.executions.records.all(prefix)
            if wanted in (None, record["status"])
        ]
        page, token = _page(found, params)
        return {"executions": page, **token}

    def _history(self, params: Answer) -> Answer:
        self.executions.get(params["executionArn"])
        events = self.executions.history(params["executionArn"])
        if params.get("reverseOrder"):
            events.reverse()
        page, token = _page(events, params)
        with_data = params.get("includeExecutionData", True)
        return {"events": [_event(event, with_data=with_data) for event in page], **token}


def _list_item(machine: Machine) -> Answer:
    return {
        "stateMachineArn": machine.arn,
        "name": machine.name,
        "type": "STANDARD",
        "creationDate": machine.created,
    }


def _event(event: Answer, *, with_data: bool) -> Answer:
    answer = {**event, "timestamp": _date(event["timestamp"])}
    if with_data:
        return answer
    return {
        name: {key: member for key, member in value.items() if key not in _HIDDEN} if isinstance(value, dict) else value
        for name, value in answer.items()
    }


def _dates(record: Answer) -> Answer:
    return {name: _date(record[name]) for name in ("startDate", "stopDate") if name in record}


def _date(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _page(items: list[Answer], params: Answer) -> tuple[list[Answer], Answer]:
    size = min(params.get("maxResults") or DEFAULT_PAGE, MAX_PAGE)
    start = _offset(params.get("nextToken"))
    rest = len(items) > start + size
    token = {"nextToken": base64.b64encode(json.dumps({"offset": start + size}).encode()).decode()} if rest else {}
    return items[start : start + size], token


def _offset(token: str | None) -> int:
    if token is None:
        return 0
    try:
        return int(json.loads(base64.b64decode(token))["offset"])
    except (ValueError, KeyError, TypeError, binascii.Error) as error:
        raise AwsError("InvalidToken", f"Invalid Token: '{token}'") from error
