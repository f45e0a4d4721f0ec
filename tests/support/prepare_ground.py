"""Runs as `PrepareRun` gets them, and how the executions stand that took them."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import boto3
from botocore.exceptions import ClientError
from workflow_answers import manifest

import prepare_run.handler as prepare
from shared.run_id import run_id
from shared.table import from_item, merged_key, run_key, to_item

WATCHED = "s3://data/incoming/penguins/"
ENVIRONMENT = {
    "PIPELINE": "penguins",
    "ENVIRONMENT": "dev",
    "ARTIFACT_BUCKET": "artifacts",
    "TABLE_NAME": "mw-dev",
    "KEY_ARN": "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    "STRUCTURE": "5" * 64,
    "DATA_PREFIX": WATCHED,
    "MAX_RUNS_PER_DAY": "0",
}
A, B = "a" * 40, "b" * 40


class Executions:
    """Step Functions: how each execution stands."""

    def __init__(self) -> None:
        self.statuses: dict[str, str] = {}
        self.asked: list[str] = []

    def describe_execution(self, *, executionArn: str) -> dict[str, str]:  # noqa: N803 # AWS's own name
        self.asked.append(executionArn)
        status = self.statuses.get(executionArn, "RUNNING")
        if status.endswith(("Exist", "Exception")):
            raise ClientError({"Error": {"Code": status, "Message": "no"}}, "DescribeExecution")
        return {"status": status}


def execution(name: str) -> str:
    return f"arn:aws:states:eu-west-1:1:execution:penguins:{name}"


def release(**changes: Any) -> str:
    content = json.dumps(manifest(**changes), sort_keys=True, separators=(",", ":")).encode()
    name = hashlib.sha256(content).hexdigest()
    boto3.client("s3").put_object(Bucket="artifacts", Key=f"releases/penguins/{name}.json", Body=content)
    return name


def start(
    name: str, trigger: dict[str, Any] | None = None, *, at: str = "2026-11-21T10:00:00.000Z", **given: Any
) -> Any:
    request = {"schema": 1, "pipeline": "penguins", "release": given.pop("release", None) or release(), **given}
    request["trigger"] = {"id": name, **(trigger or {"kind": "manual"})}
    return prepare.handler({"input": request, "execution": {"arn": execution(name), "started_at": at}}, None)


def merge(name: str, commit: str = A, **changes: Any) -> Any:
    """A merge of a commit whose content is the release with these changes."""
    return start(name, {"kind": "merge", "commit": commit}, release=release(commit=commit, **changes))


def end(name: str, status: str) -> None:
    """The run of an execution has ended so."""
    key = run_key("penguins", run_id(execution(name)))
    boto3.client("dynamodb").put_item(TableName="mw-dev", Item={**key, **to_item({"status": status})})


def kept() -> list[str]:
    item = boto3.client("dynamodb").get_item(TableName="mw-dev", Key=merged_key("penguins"))["Item"]
    return [entry["execution"].rpartition(":")[2] for entry in from_item(item)["runs"]]
