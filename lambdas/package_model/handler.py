"""State `PackageModel`: the trained model's archive with the code in it, named by its content.

Everything is streamed through files in /tmp: the unpacked model, and the packed result.
"""

from __future__ import annotations

import hashlib
import io
import os
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from package_model import archive
from shared.clients import client
from shared.env import read_env
from shared.log import log
from shared.s3 import Location

if TYPE_CHECKING:
    import tarfile

# /tmp has 10 GiB: the unpacked model, and a packed one that in the worst case is as large.
MAX_MODEL_BYTES = 4 * 1024**3
MAX_CODE_BYTES = 256 * 1024**2
SCHEMA = "schema.json"
MAX_SCHEMA_BYTES = 16 * 1024**2


@dataclass(frozen=True)
class Env:
    """What the template gives this function."""

    pipeline: str
    artifact_bucket: str
    key_arn: str = ""
    """Empty: S3 encrypts with its own."""


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Return the packaged model's address, size, hash and that of its files; of `several` also their folder and names.

    Several models are one package in the registry, which takes one archive, and one archive each for the endpoint.
    """
    del context
    env = read_env(Env, os.environ)
    with ExitStack() as stack:
        model = stack.enter_context(tempfile.TemporaryFile())
        code = stack.enter_context(tempfile.TemporaryFile())
        target = stack.enter_context(tempfile.TemporaryFile())
        _fetch(event["model_uri"], model, MAX_MODEL_BYTES)
        _fetch(event["code_uri"], code, MAX_CODE_BYTES)
        names = (event["model_uri"], event["code_uri"])
        with archive.open_tar(model, names[0]) as model_tar, archive.open_tar(code, names[1]) as code_tar:
            files_sha256 = archive.combine(model_tar, code_tar, target, names)
            several = _store_each(env, event["run"], (model_tar, code_tar), names) if event.get("several") else {}
            stored = _store(env, target)
            _store_schema(env, stored["sha256"], archive.read_small(model_tar, SCHEMA, MAX_SCHEMA_BYTES))
        return {**stored, "files_sha256": files_sha256, **several}


def _fetch(uri: str, target: IO[bytes], max_bytes: int) -> None:
    location = Location.from_uri(uri)
    answer = client("s3").get_object(Bucket=location.bucket, Key=location.key)
    archive.inflate(answer["Body"], target, uri, max_bytes)


def _store(env: Env, packed: IO[bytes]) -> dict[str, Any]:
    packed.seek(0)
    sha256 = hashlib.file_digest(packed, "sha256").hexdigest()  # type: ignore[arg-type] # a file it is
    size = packed.tell()
    packed.seek(0)
    location = Location(env.artifact_bucket, f"models/{env.pipeline}/{sha256}/model.tar.gz")
    _upload(env, packed, location)
    log("model packaged", uri=location.uri, bytes=size)
    return {"uri": location.uri, "sha256": sha256, "bytes": size}


def _store_schema(env: Env, sha256: str, content: bytes | None) -> None:
    """Put the schema that training left in the model beside the archive; who reads it says what is wrong with it."""
    if content is not None:
        where = Location(env.artifact_bucket, f"models/{env.pipeline}/{sha256}/{SCHEMA}")
        _upload(env, io.BytesIO(content), where)


def _store_each(
    env: Env, run: str, tars: tuple[tarfile.TarFile, tarfile.TarFile], names: tuple[str, str]
) -> dict[str, Any]:
    """Store an archive for each model of the run, all under one prefix: that is what the endpoint is given.

    https://docs.aws.amazon.com/sagemaker/latest/dg/create-multi-model-endpoint.html
    """
    folder = Location(env.artifact_bucket, f"models/{env.pipeline}/multi/{run}/")
    models = archive.model_names(tars[0], names[0])
    for model in models:
        with tempfile.TemporaryFile() as packed:
            archive.combine(*tars, packed, names, folder=f"{model}/")
            packed.seek(0)
            _upload(env, packed, Location(folder.bucket, f"{folder.key}{model}.tar.gz"))
    log("models packaged", uri=folder.uri, models=models)
    return {"folder": folder.uri, "names": models}


def _upload(env: Env, packed: IO[bytes], location: Location) -> None:
    client("s3").upload_fileobj(
        packed,
        location.bucket,
        location.key,
        ExtraArgs={"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": env.key_arn} if env.key_arn else {},
    )
