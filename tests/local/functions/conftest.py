"""A real local cloud with Lambda in it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from modelwright.local.cloud import Cloud

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

ROLE = "arn:aws:iam::123456789012:role/function"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": "logs:*", "Resource": "*"},
        {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*"},
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::allowed/*"},
    ],
}


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    made = Cloud(
        tmp_path_factory.mktemp("cloud"),
        "us-east-1",
        services={
            "logs": "modelwright.local.logs:Logs",
            "cloudwatch": "modelwright.local.monitoring.service:CloudWatch",
            "sqs": "modelwright.local.messages.queues:Queues",
            "events": "modelwright.local.events.service:Events",
            "lambda": "modelwright.local.functions.service:Functions",
        },
    )
    made.start()
    made.iam.put_role(ROLE, TRUST, {"function": POLICY})
    yield made
    made.stop()


class Lambda:
    """Registers functions from a text and invokes them."""

    def __init__(self, cloud: Cloud, folder: Path) -> None:
        self.cloud = cloud
        self.client: Any = cloud.client("lambda")
        self._folder = folder

    def register(self, name: str, handler: str, **properties: Any) -> None:
        folder = self._folder / name
        folder.mkdir(exist_ok=True)
        (folder / "app.py").write_text(handler)
        service: Any = self.cloud.services["lambda"]
        given = {"Handler": "app.handler", "Role": ROLE, "Runtime": "python3.14", "MemorySize": 512, **properties}
        service.register(name, given, folder)

    def invoke(self, name: str, event: Any = None, **more: Any) -> tuple[Any, dict[str, Any]]:
        answer = self.client.invoke(FunctionName=name, Payload=json.dumps(event).encode(), **more)
        body = answer["Payload"].read()
        return (json.loads(body) if body else None), answer

    def lines(self, name: str, group: str = "") -> list[str]:
        logs: Any = self.cloud.client("logs")
        found = logs.filter_log_events(logGroupName=group or f"/aws/lambda/{name}")
        return [event["message"] for event in found["events"]]


@pytest.fixture
def functions(cloud: Cloud, tmp_path: Path) -> Lambda:
    return Lambda(cloud, tmp_path)


@pytest.fixture
def metric(cloud: Cloud) -> Callable[[str, str], float]:
    def total(function: str, name: str) -> float:
        client: Any = cloud.client("cloudwatch")
        now = cloud.clock.now()
        found = client.get_metric_statistics(
            Namespace="AWS/Lambda",
            MetricName=name,
            Dimensions=[{"Name": "FunctionName", "Value": function}],
            StartTime=now - timedelta(hours=1),
            EndTime=now + timedelta(hours=1),
            Period=86400,
            Statistics=["Sum"],
        )
        return sum(point["Sum"] for point in found["Datapoints"])

    return total
