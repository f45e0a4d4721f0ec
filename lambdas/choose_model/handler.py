"""State `ChooseModel`: the archive that is served, under its own hash, with its schema beside it."""

from __future__ import annotations

import hashlib
import os
import tempfile
from dataclasses import dataclass
from typing import IO, Any

from choose_model.domain import ArchiveChanged, Conversion, check_allowed, from_report, not_converted, serving
from shared.clients import client
from shared.env import read_env
from shared.log import log
from shared.s3 import Location, read_object
from shared.table import run_key

MAX_REPORT_BYTES = 1024 * 1024
MAX_SCHEMA_BYTES = 64 * 1024**2
_CHUNK = 1024 * 1024


@dataclass(frozen=True)
class Env:
    """What the template gives this function."""

    pipeline: str
    artifact_bucket: str
    table_name: str
    key_arn: str = ""
    """Empty: S3 encrypts with its own."""


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Return the address and the hash of the archive that is served, and by what; NotCompiled if it may not be."""
    del context
    env = read_env(Env, os.environ)
    folder = Location.from_uri(f"{event['prefix']}compiled/")
    conversion = _read(folder, event["problem"])
    check_allowed(conversion, event["serve"])
    serve = serving(conversion, event["problem"])
    sha256 = conversion.sha256 if serve == "onnx" else event["sha256"]
    target = Location(env.artifact_bucket, f"models/{env.pipeline}/{sha256}/model.tar.gz")
    if serve == "onnx":
        _copy(env, _in(folder, "model.tar.gz"), target, sha256)
    if conversion.schema:
        _copy_schema(
            env, _in(folder, "schema.json"), Location(target.bucket, f"models/{env.pipeline}/{sha256}/schema.json")
        )
    _record(env, event["run"], serve, conversion.reason)
    log("model chosen", serve=serve, uri=target.uri, reason=conversion.reason)
    return {
        "serve": serve,
        "uri": target.uri,
        "sha256": sha256,
        "python_sha256": event["sha256"],
        "files_sha256": "" if serve == "onnx" else event.get("files_sha256", ""),
        "reason": conversion.reason,
    }


def _in(folder: Location, name: str) -> Location:
    return Location(folder.bucket, folder.key + name)


def _read(folder: Location, problem: dict[str, str]) -> Conversion:
    if problem["cause"]:
        return not_converted(problem)
    text = read_object(client("s3"), _in(folder, "report.json"), max_bytes=MAX_REPORT_BYTES)
    if text is None:
        return Conversion("the conversion ended well, but left no report.json", "", schema=False)
    return from_report(text)


def _copy(env: Env, source: Location, target: Location, sha256: str) -> None:
    """Store what was hashed here under its hash, and nothing else."""
    with tempfile.TemporaryFile() as file:
        digest = hashlib.sha256()
        body = client("s3").get_object(Bucket=source.bucket, Key=source.key)["Body"]
        while piece := body.read(_CHUNK):
            digest.update(piece)
            file.write(piece)
        if digest.hexdigest() != sha256:
            raise ArchiveChanged(f"{source.uri} has SHA-256 {digest.hexdigest()}; the report names {sha256}.")
        _store(env, file, target)


def _copy_schema(env: Env, source: Location, target: Location) -> None:
    text = read_object(client("s3"), source, max_bytes=MAX_SCHEMA_BYTES)
    if text is None:
        return
    with tempfile.TemporaryFile() as file:
        file.write(text)
        _store(env, file, target)


def _store(env: Env, file: IO[bytes], target: Location) -> None:
    file.seek(0)
    extra = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": env.key_arn} if env.key_arn else {}
    client("s3").upload_fileobj(file, target.bucket, target.key, ExtraArgs=extra)


def _record(env: Env, run: str, serve: str, reason: str) -> None:
    client("dynamodb").update_item(
        TableName=env.table_name,
        Key=run_key(env.pipeline, run),
        UpdateExpression="SET serve = :serve, serve_reason = :reason",
        ExpressionAttributeValues={":serve": {"S": serve}, ":reason": {"S": reason}},
    )
