"""The REST API in front of a pipeline's endpoint: API Gateway's requests to rows, checked by the champion's schema.

https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    ConnectionError,  # noqa: A004 - botocore's own name
    IncompleteReadError,
    ReadTimeoutError,
    ResponseStreamingError,
)

from serve_api import domain, hook, openapi
from serve_api.refusal import Refusal
from serve_api.schema import Schema, SchemaUnreadable
from shared.clients import client, error_code
from shared.env import read_env
from shared.log import log
from shared.s3 import MAX_MANIFEST_BYTES, Location, read_object
from shared.table import champion_key, read_item

MODEL_SECONDS = 25  # API Gateway waits 29: https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html
MAX_FILE_BYTES = 1024 * 1024
_KEPT = 8  # of releases and models: what serves and what served


@dataclass(frozen=True)
class Env:
    """What the template gives this function."""

    pipeline: str
    artifact_bucket: str
    table_name: str
    endpoint_name: str
    authorization: str


@dataclass(frozen=True)
class Champion:
    """The model that serves, as this function needs it."""

    run: str
    release: str
    model: str
    """The SHA-256 of its archive; empty in an item that an earlier version wrote: then its schema is not known."""


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answer one request; what is wrong with it, or with what serves, is said in a JSON body."""
    del context
    env = read_env(Env, os.environ)
    route = f"{event['httpMethod']} {event['resource']}"
    try:
        document = _ROUTES[route](env, event)
    except Refusal as refusal:
        about = {"detail": refusal.detail} if refusal.detail else {}
        log("refused", route=route, status=refusal.status, error=refusal.error, problems=len(refusal.problems), **about)
        return domain.response(refusal.status, refusal.body())
    log("answered", route=route)
    return domain.response(200, document)


def _predict(env: Env, event: dict[str, Any]) -> dict[str, Any]:
    rows = domain.rows_of(event)
    champion = _champion(env)
    name = _hook_name(env, champion.release)
    if name:
        rows = hook.apply(name, _hook(env, champion.release), rows)
    body = domain.model_request(domain.checked(rows, _schema(env, champion.model), after_hook=bool(name)))
    return domain.answer_of(_invoke(env, body), len(rows))


def _describe_schema(env: Env, _: dict[str, Any]) -> Any:
    schema = _schema(env, _champion(env).model)
    if schema is None:
        message = f"The model of {env.pipeline} has no schema: only the form of requests is checked."
        raise Refusal(404, "NoSchema", message)
    return schema.document


def _describe_api(env: Env, event: dict[str, Any]) -> dict[str, Any]:
    champion = _champion(env)
    about = openapi.Api(
        pipeline=env.pipeline,
        url=domain.base_url(event),
        authorization=env.authorization,
        run=champion.run,
        hook=bool(_hook_name(env, champion.release)),
    )
    return openapi.document(about, _schema(env, champion.model))


_ROUTES = {"POST /predict": _predict, "GET /schema": _describe_schema, "GET /openapi.json": _describe_api}


def _champion(env: Env) -> Champion:
    """What serves now: asked with each request, for a promotion changes it between two of them."""
    found = read_item(client("dynamodb"), env.table_name, champion_key(env.pipeline))
    if not found:
        raise Refusal(503, "NoModel", f"No model of {env.pipeline} serves yet.")
    return Champion(found["run"], found["release"], found.get("model_sha256", ""))


@lru_cache(maxsize=_KEPT)
def _manifest(env: Env, release: str) -> dict[str, Any]:
    location = Location(env.artifact_bucket, f"releases/{env.pipeline}/{release}.json")
    content = read_object(client("s3"), location, max_bytes=MAX_MANIFEST_BYTES)
    if content is None:
        message = f"The release of {env.pipeline} is not there any more: it has to be deployed again."
        raise Refusal(503, "NoRelease", message, detail=f"there is no {location.uri}")
    found: dict[str, Any] = json.loads(content)
    return found


def _hook_name(env: Env, release: str) -> str:
    api = (_manifest(env, release).get("deploy") or {}).get("api") or {}
    return str(api.get("hook") or "")


@lru_cache(maxsize=_KEPT)
def _hook(env: Env, release: str) -> Any:
    """The champion's own hook: the file of that name under the hash of its release's code, and no other."""
    name = _hook_name(env, release)
    code = _manifest(env, release)["code"]["sha256"]
    location = Location(env.artifact_bucket, f"code/{env.pipeline}/{code}/files/{name}")
    source = read_object(client("s3"), location, max_bytes=MAX_FILE_BYTES)
    if source is None:
        message = f"The hook {name} is not there any more: {env.pipeline} has to be deployed again."
        raise Refusal(500, "HookFailed", message, detail=f"there is no {location.uri}")
    return hook.load(name, source)


@lru_cache(maxsize=_KEPT)
def _schema(env: Env, model: str) -> Schema | None:
    """The champion's schema, which lies beside its archive; None where the model has none."""
    if not model:
        return None
    location = Location(env.artifact_bucket, f"models/{env.pipeline}/{model}/schema.json")
    content = read_object(client("s3"), location, max_bytes=MAX_FILE_BYTES)
    try:
        return None if content is None else Schema.from_json(content)
    except SchemaUnreadable as error:
        raise Refusal(500, "SchemaUnreadable", f"{error}"[:1].upper() + f"{error}"[1:], detail=location.uri) from error


@lru_cache(maxsize=1)
def _runtime() -> Any:
    """A client that gives up before API Gateway does, and asks once: the caller decides whether to ask again."""
    config = Config(retries={"total_max_attempts": 1}, connect_timeout=2, read_timeout=MODEL_SECONDS)
    return boto3.client("sagemaker-runtime", config=config)


def _invoke(env: Env, body: bytes) -> bytes:
    try:
        answer = _runtime().invoke_endpoint(
            EndpointName=env.endpoint_name, Body=body, ContentType=domain.JSON_TYPE, Accept=domain.JSON_TYPE
        )
        content: bytes = answer["Body"].read()
    except ClientError as error:
        refusal = domain.refusal_of(error_code(error), error.response, env.pipeline)
        if refusal is None:
            raise
        raise refusal from error
    except ReadTimeoutError as error:
        message = f"The model did not answer within {MODEL_SECONDS} s. Send fewer rows."
        raise Refusal(504, "ModelTimeout", message) from error
    except (ResponseStreamingError, IncompleteReadError) as error:
        message = f"The answer of the endpoint of {env.pipeline} broke off. Try again."
        raise Refusal(502, "AnswerBroken", message, detail=f"{type(error).__name__}: {error}") from error
    except (ConnectionError, ConnectionClosedError) as error:
        raise Refusal(503, "Busy", f"The endpoint of {env.pipeline} cannot be reached now. Try again.") from error
    return content
