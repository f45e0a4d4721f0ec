"""AWS as the command line sees it, in memory: what was started, deployed and kept; no network and no mock."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from modelwright.client.deployment import Deployment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

START = datetime(2026, 11, 20, 12, 0, 0, tzinfo=UTC)
MACHINE = "arn:aws:states:eu-central-1:123456789012:stateMachine:penguins-machine"

PENGUINS = Deployment(
    pipeline="penguins",
    stack="mw-dev-penguins",
    state_machine_arn=MACHINE,
    endpoint_name="mw-dev-penguins",
    model_package_group="mw-dev-penguins",
    data_bucket="data",
    artifact_bucket="artifacts",
    table="mw-dev",
    event_bus="mw-dev",
    topic_arn="arn:aws:sns:eu-central-1:123456789012:topic",
    log_group="/aws/vendedlogs/states/penguins",
    structure="s" * 64,
    key_arn="arn:aws:kms:eu-central-1:123456789012:key/1",
)


def refused(code: str, message: str, operation: str = "Operation", **response: Any) -> ClientError:
    """What botocore raises for an answer with an error."""
    return ClientError({"Error": {"Code": code, "Message": message}, **response}, operation)


class FakeSession:
    """Hands out the services that a test made."""

    def __init__(self, *, is_local: bool = True, environment_option: str = "", **services: Any) -> None:
        self._services = services
        self.is_local = is_local
        self.poll_seconds = 0.05 if is_local else 2.0
        self.environment_option = environment_option
        self.options = ("" if is_local else " --aws") + environment_option

    def client(self, service: str) -> Any:
        return self._services[service.replace("-", "_")]


class Pages:
    """A paginator over an operation; of each answer one page."""

    def __init__(self, operation: Callable[..., Iterator[dict[str, Any]]]) -> None:
        self._operation = operation

    def paginate(self, **request: Any) -> Iterator[dict[str, Any]]:
        return self._operation(**request)


class Story:
    """The history of an execution, event by event, a second apart."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self._add("ExecutionStarted", 0, input="{}")

    @property
    def last(self) -> int:
        return len(self.events)

    def enter(self, kind: str, name: str, given: Any = None, *, after: int | None = None) -> int:
        details = {"name": name, "input": json.dumps(given if given is not None else {})}
        return self._add(f"{kind}StateEntered", after, details_as="stateEntered", **details)

    def leave(self, kind: str, name: str, output: Any = None, *, after: int | None = None) -> int:
        details = {"name": name, "output": json.dumps(output if output is not None else {})}
        return self._add(f"{kind}StateExited", after, details_as="stateExited", **details)

    def schedule(self, resource: str = "createTrainingJob.sync", *, after: int | None = None, **parameters: Any) -> int:
        kind = "lambda" if resource == "invoke" else "sagemaker"
        return self._add(
            "TaskScheduled", after, resourceType=kind, resource=resource, parameters=json.dumps(parameters)
        )

    def event(self, kind: str, *, after: int | None = None, **details: Any) -> int:
        return self._add(kind, after, **details)

    def task(self, name: str, output: Any = None, **parameters: Any) -> None:
        """A task that goes well."""
        self.enter("Task", name)
        self.schedule(**parameters)
        self.event("TaskStarted")
        self.event("TaskSucceeded", output="{}")
        self.leave("Task", name, output)

    def _add(self, kind: str, after: int | None, *, details_as: str | None = None, **details: Any) -> int:
        number = len(self.events) + 1
        key = f"{details_as or kind[0].lower() + kind[1:]}EventDetails"
        self.events.append(
            {
                "id": number,
                "previousEventId": number - 1 if after is None else after,
                "type": kind,
                "timestamp": START + timedelta(seconds=number - 1),
                key: details,
            }
        )
        return number


@dataclass
class Execution:
    """One execution: it ends when all of its history has been shown."""

    name: str
    story: Story
    status: str = "SUCCEEDED"
    output: Mapping[str, Any] | None = None
    given: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""
    cause: str = ""
    started: datetime = START
    machine: str = MACHINE
    shown: int | None = None
    """how many events there are yet; None: all"""

    @property
    def arn(self) -> str:
        return f"{self.machine.replace(':stateMachine:', ':execution:')}:{self.name}"

    @property
    def events(self) -> list[dict[str, Any]]:
        return self.story.events if self.shown is None else self.story.events[: self.shown]

    @property
    def now(self) -> str:
        return self.status if len(self.events) == len(self.story.events) else "RUNNING"


class StepFunctions:
    """Executions that are there, in the order in which they were started."""

    def __init__(self, *executions: Execution, page: int = 1000) -> None:
        self.executions = {execution.arn: execution for execution in executions}
        self.stopped: list[tuple[str, str]] = []
        self.history_calls = 0
        self._page = page

    def start_execution(self, **request: Any) -> dict[str, Any]:
        execution = Execution(request["name"], Story(), given=json.loads(request["input"]))
        self.executions[execution.arn] = execution
        return {"executionArn": execution.arn}

    def stop_execution(self, **request: Any) -> dict[str, Any]:
        arn = request["executionArn"]
        self.stopped.append((arn, request["cause"]))
        execution = self.executions[arn]
        execution.story.events = execution.events
        execution.shown = None
        execution.story.event("ExecutionAborted", error=request["error"], cause=request["cause"])
        execution.output = None
        execution.status, execution.error, execution.cause = "ABORTED", request["error"], request["cause"]
        return {}

    def describe_execution(self, **request: Any) -> dict[str, Any]:
        found = self.executions[request["executionArn"]]
        over = found.now != "RUNNING"
        answer = {
            "executionArn": found.arn,
            "name": found.name,
            "status": found.now,
            "startDate": found.started,
            "input": json.dumps(found.given),
        }
        if over:
            answer["stopDate"] = found.started + timedelta(seconds=12.5)
        if over and found.output is not None:
            answer["output"] = json.dumps(found.output)
        if over and found.error:
            answer |= {"error": found.error, "cause": found.cause}
        return answer

    def get_execution_history(self, **request: Any) -> dict[str, Any]:
        self.history_calls += 1
        events = list(self.executions[request["executionArn"]].events)
        if request.get("reverseOrder"):
            events.reverse()
        begin, size = int(request.get("nextToken", 0)), request.get("maxResults", 100)
        more = {"nextToken": str(begin + size)} if begin + size < len(events) else {}
        return {"events": events[begin : begin + size], **more}

    def get_paginator(self, operation: str) -> Pages:
        return Pages({"list_executions": self._list, "get_execution_history": self._histories}[operation])

    def _list(self, **request: Any) -> Iterator[dict[str, Any]]:
        found = [each for each in self.executions.values() if each.machine == request["stateMachineArn"]]
        found.sort(key=lambda each: each.started, reverse=True)
        wanted = request.get("statusFilter")
        entries = [
            {"executionArn": each.arn, "name": each.name, "startDate": each.started, "status": each.now}
            for each in found
            if wanted in {None, each.now}
        ]
        for begin in range(0, len(entries), self._page):
            yield {"executions": entries[begin : begin + self._page]}

    def _histories(self, **request: Any) -> Iterator[dict[str, Any]]:
        events = self.executions[request["executionArn"]].events
        half = len(events) // 2
        yield {"events": events[:half]}
        yield {"events": events[half:]}


class Pauses:
    """Instead of sleeping: remembers how long, and lets the execution go on by one event, after `idle` pauses."""

    def __init__(self, execution: Execution | None = None, idle: int = 0) -> None:
        self.lengths: list[float] = []
        self._execution, self._idle = execution, idle

    def __call__(self, seconds: float) -> None:
        self.lengths.append(seconds)
        going_on = self._execution is not None and self._execution.shown is not None
        if going_on and len(self.lengths) > self._idle:
            self._execution.shown = min(self._execution.shown + 1, len(self._execution.story.events))
