"""Services of ours in each protocol, as small as they can be."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from modelwright.local.service import AwsError, Call

MOMENT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


class Echo:
    """Keeps the calls that it got, and answers with what the test has laid into `answers`."""

    operations = frozenset()
    falls_through = False

    def __init__(self, cloud: Any) -> None:
        self.calls: list[Call] = []
        self.answers: dict[str, Any] = {}

    def handle(self, call: Call) -> dict[str, Any]:
        self.calls.append(call)
        answer = self.answers.get(call.operation, {})
        if isinstance(answer, Exception):
            raise answer
        return answer

    def start(self) -> None: ...

    def stop(self) -> None: ...


class EchoSageMaker(Echo):
    name = "sagemaker"
    operations = frozenset({"CreateTrainingJob", "DescribeModel", "CreateModel"})


class EchoRuntime(Echo):
    name = "sagemaker-runtime"
    operations = frozenset({"InvokeEndpoint"})


class EchoStates(Echo):
    name = "stepfunctions"
    operations = frozenset({"DescribeExecution", "StartExecution"})


class EchoLambda(Echo):
    name = "lambda"
    operations = frozenset({"Invoke"})


class EchoSns(Echo):
    name = "sns"
    operations = frozenset({"Publish", "ListTopics"})


class EchoDynamo(Echo):
    """Answers one operation; the others are moto's."""

    name = "dynamodb"
    operations = frozenset({"DescribeLimits"})
    falls_through = True


class EchoCloudWatch(Echo):
    name = "cloudwatch"
    operations = frozenset({"PutMetricData", "DescribeAlarms"})


class EchoScheduler(Echo):
    name = "scheduler"
    operations = frozenset({"CreateSchedule", "GetSchedule"})


class EchoEvents(Echo):
    """EventBridge as the core needs it."""

    name = "events"

    def __init__(self, cloud: Any) -> None:
        super().__init__(cloud)
        self.published: list[dict[str, Any]] = []

    def publish(self, event: dict[str, Any]) -> None:
        self.published.append(event)


ALL = {
    cls.name: cls
    for cls in (
        EchoSageMaker,
        EchoRuntime,
        EchoStates,
        EchoLambda,
        EchoSns,
        EchoDynamo,
        EchoCloudWatch,
        EchoScheduler,
        EchoEvents,
    )
}

__all__ = ["ALL", "MOMENT", "AwsError"]
