"""State `SmokeTest`: ask the endpoint for predictions and look at the answer."""

from __future__ import annotations

import base64
import json
import os
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from shared.clients import client, error_code
from shared.env import read_env
from shared.errors import ReleaseNotFound
from shared.log import log
from shared.s3 import MAX_MANIFEST_BYTES, Location, read_object
from smoke_test.domain import SmokeTestFailed, check_answer


@dataclass(frozen=True)
class Env:
    """What the template gives this function."""

    pipeline: str
    artifact_bucket: str
    endpoint_name: str


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Return what was asked and found; raise `SmokeTestFailed` otherwise."""
    del context
    env = read_env(Env, os.environ)
    request = _request(env, event["release"])
    body = base64.b64decode(request["body_base64"])
    answer, content_type = _invoke(env.endpoint_name, request, body)
    seen = check_answer(request, body, answer, content_type)
    log("smoke test passed", **seen)
    return seen


def _request(env: Env, release: str) -> dict[str, Any]:
    """The test lies in the release and not in a variable: its body may have 64 KiB."""
    location = Location(env.artifact_bucket, f"releases/{env.pipeline}/{release}.json")
    content = read_object(client("s3"), location, max_bytes=MAX_MANIFEST_BYTES)
    if content is None:
        raise ReleaseNotFound(f"there is no {location.uri} any more.")
    request: dict[str, Any] = json.loads(content)["deploy"]["smoke_test"]
    return request


def _invoke(endpoint: str, request: dict[str, Any], body: bytes) -> tuple[bytes, str]:
    try:
        answer = client("sagemaker-runtime").invoke_endpoint(
            EndpointName=endpoint, Body=body, ContentType=request["content_type"], Accept=request["accept"]
        )
    except ClientError as error:
        if error_code(error) != "ModelError":
            raise
        raise SmokeTestFailed(
            f"the model answered {error.response.get('OriginalStatusCode')}: "
            f"{str(error.response.get('OriginalMessage', error))[:2000]}"
        ) from error
    return answer["Body"].read(), answer["ContentType"]
