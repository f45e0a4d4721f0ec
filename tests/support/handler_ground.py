"""What the handlers find: settings, a bucket and a table of moto's, releases, runs that ask for the lease."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import ClientError
from workflow_answers import SHA, manifest

import acquire_deployment.handler as acquire
import shared.clients
from shared.table import from_item

if TYPE_CHECKING:
    import pytest

ENVIRONMENT = {
    "PIPELINE": "penguins",
    "ENVIRONMENT": "dev",
    "ARTIFACT_BUCKET": "artifacts",
    "TABLE_NAME": "mw-dev",
    "KEY_ARN": "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    "STRUCTURE": "5" * 64,
    "ENDPOINT_NAME": "mw-dev-penguins",
    "LEASE_SECONDS": "600",
    "DATA_PREFIX": "s3://data/incoming/penguins/",
    "MAX_RUNS_PER_DAY": "3",
}
ONE, OTHER = "arn:aws:states:eu-west-1:1:execution:p:one", "arn:aws:states:eu-west-1:1:execution:p:other"
EARLY, LATE = "2026-11-20T10:00:00.000Z", "2026-11-20T11:00:00.000Z"


class FakeExecutions:
    """How executions stand, as Step Functions says it."""

    def __init__(self, status: str) -> None:
        self.status = status

    def describe_execution(self, **_: str) -> dict[str, str]:
        if self.status.endswith(("Exist", "Exception")):
            raise ClientError({"Error": {"Code": self.status, "Message": "no"}}, "DescribeExecution")
        return {"status": self.status}


def stepfunctions(monkeypatch: pytest.MonkeyPatch, status: str) -> None:
    """Each execution stands like this."""
    real, executions = shared.clients.client, FakeExecutions(status)
    monkeypatch.setattr(acquire, "client", lambda name: executions if name == "stepfunctions" else real(name))


def put(key: str, content: bytes) -> None:
    boto3.client("s3").put_object(Bucket="artifacts", Key=key, Body=content)


def item(key: dict[str, Any]) -> dict[str, Any]:
    return from_item(boto3.client("dynamodb").get_item(TableName="mw-dev", Key=key)["Item"])


def publish(**changes: Any) -> str:
    content = json.dumps(manifest(**changes), sort_keys=True, separators=(",", ":")).encode()
    name = hashlib.sha256(content).hexdigest()
    put(f"releases/penguins/{name}.json", content)
    return name


def take(execution: str, run: str, started_at: str = EARLY) -> dict[str, Any]:
    return acquire.handler({"execution": execution, "run": run, "started_at": started_at}, None)


def promotion(execution: str, run: str, fence: int, started_at: str = EARLY) -> dict[str, Any]:
    return {
        "execution": execution,
        "fence": fence,
        "run": run,
        "started_at": started_at,
        "release": "r" * 64,
        "package_arn": f"arn:package/{run}",
        "endpoint_config": f"dev-penguins-{run}-00",
        "metrics": {"accuracy": 0.9, "tiny": 1e-300},
        "model": {"uri": f"s3://b/{SHA}", "sha256": SHA, "serve": "onnx"},
    }
