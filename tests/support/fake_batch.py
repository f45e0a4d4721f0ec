"""S3 and CloudWatch Logs as `modelwright batch` uses them, and a model's columns."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from botocore.response import StreamingBody

from modelwright.cli.model_schema import read_columns
from modelwright.client.batch.input import read_input
from modelwright.client.deployment import Deployment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelwright.client.batch.input import BatchInput

PEN = Deployment(
    "pen", "mw-dev-pen", "machine", "endpoint", "group", "data", "artifacts", "table", "bus", "topic", "log", "digest"
)
SCHEMA = {
    "version": 1,
    "columns": [
        {"name": "kind", "type": "string", "missing": False, "categories": ["a", "b"], "unknown": False},
        {"name": "size", "type": "number", "missing": True},
    ],
    "outputs": {"form": "labels", "labels": ["x", "y"]},
}
COLUMNS = read_columns(json.dumps(SCHEMA))


@dataclass
class Aws:
    """S3 and CloudWatch Logs, and the session that makes their clients."""

    objects: dict[tuple[str, str], bytes] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)
    is_local: bool = True
    poll_seconds: float = 0.0

    class exceptions:  # noqa: N801 - as botocore's clients have it
        ClientError = ClientError
        ResourceNotFoundException = type("ResourceNotFoundException", (ClientError,), {})

    def client(self, _: str) -> Aws:
        return self

    def put_object(self, **request: Any) -> None:
        body = request["Body"]
        self.objects[request["Bucket"], request["Key"]] = body if isinstance(body, bytes) else body.read()

    def get_object(self, **request: Any) -> dict[str, Any]:
        body = self.objects[request["Bucket"], request["Key"]]
        if "Range" in request:
            body = body[: int(request["Range"].rpartition("-")[2]) + 1]
        return {"Body": StreamingBody(io.BytesIO(body), len(body))}

    def get_paginator(self, operation: str) -> Pages:
        return Pages(self, operation)


@dataclass
class Pages:
    aws: Aws
    operation: str

    def paginate(self, **request: Any) -> Iterator[dict[str, Any]]:
        if self.operation == "filter_log_events":
            yield {"events": [{"message": line} for line in self.aws.log]}
            return
        keys = [key for bucket, key in sorted(self.aws.objects) if bucket == request["Bucket"]]
        found = [key for key in keys if key.startswith(request["Prefix"])]
        yield {"Contents": [{"Key": key, "Size": len(self.aws.objects[request["Bucket"], key])} for key in found[:1]]}
        yield {"Contents": [{"Key": key, "Size": len(self.aws.objects[request["Bucket"], key])} for key in found[1:]]}


def incoming(**files: str) -> Aws:
    return Aws({("data", f"incoming/pen/{name}"): text.encode() for name, text in files.items()})


def read(aws: Aws, given: str) -> BatchInput:
    return read_input(aws, PEN, given, COLUMNS)  # type: ignore[arg-type] # a fake
