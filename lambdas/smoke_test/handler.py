"""State `SmokeTest`: ask the endpoint for predictions and look at the answer."""

from __future__ import annotations

import base64
import json
import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import (
    ClientError,
    ConnectionError,  # noqa: A004 - botocore's own name
    HTTPClientError,
    IncompleteReadError,
)

from shared.clients import client, error_code
from shared.env import read_env
from shared.errors import ReleaseNotFound
from shared.log import log
from shared.patience import pauses_until
from shared.s3 import MAX_MANIFEST_BYTES, Location, read_object
from smoke_test.domain import SmokeTestFailed, check_answer, named, no_time_left

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_ANSWER_BYTES = 6 * 1024**2
QUEUE_SECONDS = 180.0
"""So long an asynchronous endpoint may take for its first answer: within the function's own time."""

QUEUED_SECONDS = 30.0
"""So long it may take until it takes the request: SageMaker answers at once, or has a passing fault."""

READY_SECONDS = 120.0
"""So long one of several models, or a serverless endpoint, may take until it can be asked at all; boto3 does not wait.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html (ModelNotReadyException)
"""

CALLS_SECONDS = 150.0
"""No call begins later than this: one may take 75 s, and the function has 240."""

_PASSING = frozenset(
    {"ModelNotReadyException", "ThrottlingException", "ServiceUnavailable", "ServiceUnavailableException"}
    | {"InternalFailure", "InternalServerException", "InternalDependencyException"}
)


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
    end = time.monotonic() + CALLS_SECONDS
    if event.get("kind") == "async":
        return _passed(request, body, _ask_queue(env, request, body, event["run"]))
    models = event.get("models") or [None]
    for index, model in enumerate(models):
        if end - time.monotonic() < 1:
            raise SmokeTestFailed(no_time_left(models[index:], CALLS_SECONDS))
        seen = _passed(request, body, _invoke(env.endpoint_name, request, body, model, end), model)
    return seen


def _passed(
    request: dict[str, Any], body: bytes, answer: tuple[bytes, str], model: str | None = None
) -> dict[str, Any]:
    seen = check_answer(request, body, *answer)
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


def _invoke(endpoint: str, request: dict[str, Any], body: bytes, model: str | None, end: float) -> tuple[bytes, str]:
    """Ask the endpoint; of one with several models, the `model`. `end`: when no call may begin any more."""
    which = {"TargetModel": f"{model}.tar.gz"} if model else {}
    question = {"EndpointName": endpoint, "Body": body, "ContentType": request["content_type"], **which}
    question["Accept"] = request["accept"]
    try:
        answer: tuple[bytes, str] = _patiently(
            lambda: _answer(question), min(READY_SECONDS, end - time.monotonic()), model
        )
    except ClientError as error:
        if error_code(error) != "ModelError":
            raise
        raise SmokeTestFailed(
            f"{named(model)} answered {error.response.get('OriginalStatusCode')}: "
            f"{str(error.response.get('OriginalMessage', error))[:2000]}"
        ) from error
    return answer


def _answer(question: dict[str, Any]) -> tuple[bytes, str]:
    answer = client("sagemaker-runtime").invoke_endpoint(**question)
    return answer["Body"].read(), answer["ContentType"]


def _patiently(ask: Callable[[], Any], seconds: float, model: str | None = None) -> Any:
    """What is answered, asked again as long as a model is being loaded, or SageMaker has a passing fault."""
    last = ""
    for pause in pauses_until(time.monotonic() + seconds, time.monotonic):
        try:
            return ask()
        except ClientError as error:
            last = error_code(error)
            if last not in _PASSING:
                raise
        except (ConnectionError, HTTPClientError, IncompleteReadError) as error:
            last = type(error).__name__
        time.sleep(pause)
    raise SmokeTestFailed(f"{named(model)} could not be asked within {seconds:.0f} seconds: {last}.")


def _ask_queue(env: Env, request: dict[str, Any], body: bytes, run: str) -> tuple[bytes, str]:
    """Lay the request into S3 and wait for its answer there, or for the word that there is none.

    https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference-invoke-endpoint.html
    """
    asked = Location(env.artifact_bucket, f"async/{env.pipeline}/input/smoke-test-{run}")
    client("s3").put_object(Bucket=asked.bucket, Key=asked.key, Body=body)
    end = time.monotonic() + QUEUE_SECONDS
    question = {"EndpointName": env.endpoint_name, "InputLocation": asked.uri, "ContentType": request["content_type"]}
    question["Accept"] = request["accept"]
    told = _patiently(lambda: dict(client("sagemaker-runtime").invoke_endpoint_async(**question)), QUEUED_SECONDS)
    for pause in pauses_until(end, time.monotonic):
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
