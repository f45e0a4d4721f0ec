"""What a batch transform job is to read: found in S3 or on this machine, looked at, uploaded without header lines."""

from __future__ import annotations

import hashlib
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelwright.client.batch.columns import moved
from modelwright.client.batch.heads import HEAD_BYTES, Check, File
from modelwright.errors import DataNotFound, InvalidInput, WrongUsage, names

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from modelwright.client.batch.heads import Columns
    from modelwright.client.deployment import Deployment
    from modelwright.client.session import Session

CSV, JSON_LINES = "text/csv", "application/json"
_KINDS = {".csv": CSV, ".jsonl": JSON_LINES, ".ndjson": JSON_LINES}
MOST_FILES = 10_000
MOST_BYTES = 5 * 10**9
"""https://docs.aws.amazon.com/AmazonS3/latest/userguide/upload-objects.html: of one PutObject"""
_BLOCK_BYTES = 1 << 20
_THREADS = 16


@dataclass(frozen=True)
class BatchInput:
    """All files of one job; `bucket` and `prefix` are where they lie, or will."""

    files: tuple[File, ...]
    content_type: str
    bucket: str
    prefix: str
    input_filter: str = "$"
    order: tuple[int, ...] | None = None
    """in which order the columns of files of this machine are uploaded; None: as they are"""

    @property
    def bytes(self) -> int:
        """How much there is to read."""
        return sum(file.size - file.skip for file in self.files)

    def rows(self) -> tuple[int | None, bool]:
        """How many rows there are, and whether they were counted; (None, False) when nobody knows."""
        counts = [file.rows for file in self.files]
        if None not in counts:
            return sum(count or 0 for count in counts), True
        about = [file.rows if file.rows is not None else file.about_rows for file in self.files]
        return (None, False) if None in about else (sum(count or 0 for count in about), False)


def read_input(session: Session, deployment: Deployment, given: str, columns: Columns | None) -> BatchInput:
    """Find and check what `given` names: `s3://…`, a file or a folder; nothing is uploaded yet.

    Raises:
        DataNotFound: there is nothing, or nothing that can be read.
        InvalidInput: with everything that is wrong with the files; each is named.
        WrongUsage: a bucket that jobs of this pipeline may not read.
    """
    if given.startswith("s3://"):
        return _in_s3(session, deployment, given, columns)
    return _on_this_machine(deployment, Path(given), columns)


def _in_s3(session: Session, deployment: Deployment, uri: str, columns: Columns | None) -> BatchInput:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    _check_place(deployment, uri, bucket, key)
    s3 = session.client("s3")
    entries = _listed(s3, bucket, key)
    alone = [entry for entry in entries if entry["Key"] == key and not key.endswith("/")]
    folder = f"{key.rpartition('/')[0]}/" if alone else f"{key.rstrip('/')}/"
    below = alone or [entry for entry in entries if entry["Key"].startswith(folder)]
    named = [(entry["Key"].removeprefix(folder), entry["Size"]) for entry in below]
    found = [File(name, size) for name, size in named if _is_data(name) or alone]
    if not found:
        raise DataNotFound(f"There is no object at {uri}.", "A folder ends with a slash: s3://bucket/folder/.")

    def head(file: File) -> bytes:
        wanted = {"Bucket": bucket, "Key": folder + file.name}
        span = {"Range": f"bytes=0-{HEAD_BYTES - 1}"} if file.size else {}
        return bytes(s3.get_object(**wanted, **span)["Body"].read(HEAD_BYTES))

    made = BatchInput(tuple(found), _kind(found), bucket, folder)
    return _checked(made, head, columns)


def _check_place(deployment: Deployment, uri: str, bucket: str, key: str) -> None:
    places = {
        deployment.data_bucket: f"incoming/{deployment.pipeline}/",
        deployment.artifact_bucket: f"batch/{deployment.pipeline}/input/",
    }
    if not key.startswith(places.get(bucket, "\0")):
        own = f"s3://{deployment.data_bucket}/incoming/{deployment.pipeline}/"
        raise WrongUsage(
            f"--input {uri}: batch jobs of {deployment.pipeline} read below "
            f"{names([f's3://{name}/{prefix}' for name, prefix in places.items()], 'and')} only.",
            f"Copy it there: `aws s3 cp --recursive {uri} {own}`; or name a file of this machine, which is uploaded.",
        )


def _listed(s3: Any, bucket: str, prefix: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        found += page.get("Contents", [])
        if len(found) > MOST_FILES:
            raise DataNotFound(f"s3://{bucket}/{prefix} has more than {MOST_FILES:,} objects.", "Name a part of it.")
    return found


def _is_data(name: str) -> bool:
    """Leave out folders' own objects and what begins with a dot or an underscore: markers and the like."""
    return bool(name) and not name.endswith("/") and not name.rpartition("/")[2].startswith((".", "_"))


def _on_this_machine(deployment: Deployment, source: Path, columns: Columns | None) -> BatchInput:
    if source.is_dir():
        paths = {path.relative_to(source).as_posix(): path for path in sorted(source.rglob("*")) if path.is_file()}
        found = [File(name, path.stat().st_size, path) for name, path in paths.items() if _is_data(name)]
    elif source.is_file():
        found = [File(source.name, source.stat().st_size, source)]
    else:
        raise DataNotFound(f"--input {source}: there is no such file or folder.")
    if not found:
        raise DataNotFound(f"--input {source}: the folder holds no data file.")
    if len(found) > MOST_FILES:
        raise DataNotFound(f"--input {source} has {len(found):,} files, more than {MOST_FILES:,}.")
    large = [file.name for file in found if file.size > MOST_BYTES]
    if large:
        raise DataNotFound(
            f"--input: {large[0]} has more than 5 GB, which one upload takes.", "Split it, or put it into S3 yourself."
        )
    made = BatchInput(tuple(found), _kind(found), deployment.artifact_bucket, "")
    made = _checked(made, _head_of_path, columns)
    digest, files = _content(made.files, made.order)
    return replace(made, files=files, prefix=f"batch/{deployment.pipeline}/input/{digest}/")


def _head_of_path(file: File) -> bytes:
    if file.path is None:
        raise AssertionError(file.name)
    try:
        with file.path.open("rb") as source:
            return source.read(HEAD_BYTES)
    except OSError as error:
        raise DataNotFound(f"{file.path} cannot be read: {error.strerror}.") from None


def _kind(files: Sequence[File]) -> str:
    kinds = {name: _KINDS.get(Path(name).suffix.lower()) for name in (file.name for file in files)}
    unknown = [name for name, kind in kinds.items() if kind is None]
    if unknown:
        raise InvalidInput(
            f"{names(unknown[:5])}: batch transform takes lines of CSV (.csv) or of JSON (.jsonl, .ndjson).",
            "Unpack what is packed, and leave other files out of the folder.",
        )
    if len(set(kinds.values())) > 1:
        raise InvalidInput("There are files of CSV and of JSON lines; a job takes files of one kind.")
    return next(kind for kind in kinds.values() if kind)


def _checked(given: BatchInput, head: Callable[[File], bytes], columns: Columns | None) -> BatchInput:
    """Look at the first lines of each file; InvalidInput with all that is wrong."""
    with ThreadPoolExecutor(_THREADS) as threads:
        heads = list(threads.map(head, given.files))
    check = Check(given.content_type == CSV, columns)
    files = tuple(check.file(file, content) for file, content in zip(given.files, heads, strict=True))
    if check.problems:
        shown = check.problems[:20]
        more = len(check.problems) - len(shown)
        raise InvalidInput("\n".join([*shown, *([f"and {more} more"] if more else [])]), check.hint)
    input_filter, order = check.order()
    return replace(given, files=files, input_filter=input_filter, order=order)


def _content(files: Sequence[File], order: tuple[int, ...] | None) -> tuple[str, tuple[File, ...]]:
    """Return what names the files by what will be uploaded, and the files with their rows counted."""
    whole, counted = hashlib.sha256(str(order or "").encode()), []
    for file in files:
        digest, rows, last = hashlib.sha256(), 0, b"\n"
        with (file.path or Path()).open("rb") as source:
            source.seek(file.skip)
            while block := source.read(_BLOCK_BYTES):
                digest.update(block)
                rows += block.count(b"\n")
                last = block[-1:]
        whole.update(f"{digest.hexdigest()}  {file.name}\n".encode())
        counted.append(replace(file, rows=rows + (last != b"\n")))
    return whole.hexdigest(), tuple(counted)


def upload(s3: Any, given: BatchInput) -> int:
    """Write what lies on this machine and is not in the bucket yet; returns how many files that were."""
    local = [file for file in given.files if file.path is not None]
    if not local:
        return 0
    there = {entry["Key"] for entry in _listed(s3, given.bucket, given.prefix)}
    missing = [file for file in local if given.prefix + file.name not in there]

    def put(file: File) -> None:
        about = {"Bucket": given.bucket, "Key": given.prefix + file.name, "ContentType": given.content_type}
        with (file.path or Path()).open("rb") as source, tempfile.TemporaryFile() as other:
            source.seek(file.skip)
            if given.order is not None:
                other.writelines(moved(source, given.order))
                other.seek(0)
            s3.put_object(Body=source if given.order is None else other, **about)

    with ThreadPoolExecutor(_THREADS) as threads:
        list(threads.map(put, missing))
    return len(missing)
