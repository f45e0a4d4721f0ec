"""State `SmokeTest`: ask the endpoint for predictions and look at the answer."""

from __future__ import annotations

import base64
import json
import os
import time
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from shared.clients import client, error_code
from shared.env import read_env
from shared.errors import ReleaseNotFound
from shared.log import log
from shared.patience import pauses
from shared.s3 import MAX_MANIFEST_BYTES, Location, read_object
from smoke_test.domain import SmokeTestFailed, check_answer

MAX_ANSWER_BYTES = 6 * 1024**2
QUEUE_SECONDS = 180.0
"""So long an asynchronous endpoint may take for its first answer: within the function's own time."""

READY_SECONDS = 120.0
"""So long one of several models, or a serverless endpoint, may take until it can be asked at all; boto3 does not wait.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html (ModelNotReadyException)
"""


@dataclass(frozen=True)
class Env:
    """What the template gives this function."""

    pipeline: str
    artifact_bucket: str
    endpoint_name: str


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Return what was asked and found; raise `SmokeTestFailed` otherwise. Of several models, each is asked."""
    del context
    env = read_env(Env, os.environ)
    request = _request(env, event["release"])
    body = base64.b64decode(request["body_base64"])
    seen: dict[str, Any] = {}
    for model in event.get("models") or [None]:
        if event.get("kind") == "async":
            answer, content_type = _ask_queue(env, request, body, event["run"])
        else:
            answer, content_type = _invoke(env.endpoint_name, request, body, model)
        seen = check_answer(request, body, answer, content_type)
        log("smoke test passed", model=model, **seen)
    return seen


def _request(env: Env, release: str) -> dict[str, Any]:
    """The test lies in the release and not in a variable: its body may have 64 KiB."""
    location = Location(env.artifact_bucket, f"releases/{env.pipeline}/{release}.json")
    content = read_object(client("s3"), location, max_bytes=MAX_MANIFEST_BYTES)
    if content is None:
        raise ReleaseNotFound(f"there is no {location.uri} any more.")
    request: dict[str, Any] = json.loads(content)["deploy"]["smoke_test"]
    return request


def _invoke(endpoint: str, request: dict[str, Any], body: bytes, model: str | None) -> tuple[bytes, str]:
    """Ask the endpoint; of one with several models, the `model`."""
    which = {"TargetModel": f"{model}.tar.gz"} if model else {}
    question = {"EndpointName": endpoint, "Body": body, "ContentType": request["content_type"], **which}
    try:
        answer = _answer({**question, "Accept": request["accept"]})
    except ClientError as error:
        if error_code(error) != "ModelError":
            raise
        raise SmokeTestFailed(
            f"the model {f'{model} ' if model else ''}answered {error.response.get('OriginalStatusCode')}: "
            f"{str(error.response.get('OriginalMessage', error))[:2000]}"
        ) from error
    return answer["Body"].read(), answer["ContentType"]


def _answer(question: dict[str, Any]) -> dict[str, Any]:
    """What the endpoint answers, asked again as long as its model is being loaded."""
    runtime = client("sagemaker-runtime")
    for pause in pauses(READY_SECONDS):
        try:
            return dict(runtime.invoke_endpoint(**question))
        except ClientError as error:
            if error_code(error) != "ModelNotReadyException":
                raise
        time.sleep(pause)
    return dict(runtime.invoke_endpoint(**question))


def _ask_queue(env: Env, request: dict[str, Any], body: bytes, run: str) -> tuple[bytes, str]:
    """Lay the request into S3 and wait for its answer there, or for the word that there is none.

    https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference-invoke-endpoint.html
    """
    asked = Location(env.artifact_bucket, f"async/{env.pipeline}/input/smoke-test-{run}")
    client("s3").put_object(Bucket=asked.bucket, Key=asked.key, Body=body)
    told = client("sagemaker-runtime").invoke_endpoint_async(
        EndpointName=env.endpoint_name,
        InputLocation=asked.uri,
        ContentType=request["content_type"],
        Accept=request["accept"],
    )
    for pause in pauses(QUEUE_SECONDS):
        answer = _found(told["OutputLocation"])
        if answer is not None:
            return answer, request["accept"]
        failure = _found(told["FailureLocation"])
        if failure is not None:
            raise SmokeTestFailed(f"the request failed: {failure.decode(errors='replace')[:2000]}")
        time.sleep(pause)
    raise SmokeTestFailed(f"there was no answer at {told['OutputLocation']} after {QUEUE_SECONDS:.0f} seconds.")


def _found(uri: str) -> bytes | None:
    return read_object(client("s3"), Location.from_uri(uri), max_bytes=MAX_ANSWER_BYTES)
