"""What a batch transform job is to read: found in S3 or on this machine, looked at, uploaded without header lines.

SageMaker sends each piece of a file to the model by itself, so that only the first would have a header line; of one
that has it, the answers are a line fewer than the records, and nothing can be joined.
https://docs.aws.amazon.com/sagemaker/latest/dg/batch-transform.html
"""

from __future__ import annotations

import csv
import hashlib
import io
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from modelwright.errors import DataNotFound, InvalidInput, WrongUsage, names

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from modelwright.client.deployment import Deployment
    from modelwright.client.session import Session

CSV, JSON_LINES = "text/csv", "application/json"
_KINDS = {".csv": CSV, ".jsonl": JSON_LINES, ".ndjson": JSON_LINES}
MOST_FILES = 10_000
MOST_BYTES = 5 * 10**9
"""https://docs.aws.amazon.com/AmazonS3/latest/userguide/upload-objects.html: of one PutObject"""
_LONGEST_FILTER = 63
"""https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DataProcessing.html"""
_HEAD_BYTES = 1 << 16
_BLOCK_BYTES = 1 << 20
_THREADS = 16
_BOM = b"\xef\xbb\xbf"


class Columns(Protocol):
    """What has to be known of a model's schema."""

    @property
    def names(self) -> tuple[str, ...]:
        """The columns in their order."""

    def problems(self, row: Sequence[str] | Mapping[str, Any]) -> list[str]:
        """Return what is wrong with a row of CSV, of as many values as there are columns, or with an object of JSON."""


@dataclass(frozen=True)
class File:
    """One input: on this machine (`path`) or in S3; `name` is below the input's folder."""

    name: str
    size: int
    path: Path | None = None
    skip: int = 0
    """Bytes of a header line at its beginning, which are not uploaded."""
    rows: int | None = None
    """Its lines, where they were counted."""
    about_rows: int | None = None
    """What its first lines say of how many there are."""


@dataclass(frozen=True)
class BatchInput:
    """All files of one job; `bucket` and `prefix` are where they lie, or will."""

    files: tuple[File, ...]
    content_type: str
    bucket: str
    prefix: str
    input_filter: str = "$"

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
        span = {"Range": f"bytes=0-{_HEAD_BYTES - 1}"} if file.size else {}
        return bytes(s3.get_object(**wanted, **span)["Body"].read(_HEAD_BYTES))

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
    digest, files = _content(made.files)
    return replace(made, files=files, prefix=f"batch/{deployment.pipeline}/input/{digest}/")


def _head_of_path(file: File) -> bytes:
    if file.path is None:
        raise AssertionError(file.name)
    try:
        with file.path.open("rb") as source:
            return source.read(_HEAD_BYTES)
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
    check = _Check(given.content_type == CSV, columns)
    files = tuple(check.file(file, content) for file, content in zip(given.files, heads, strict=True))
    if check.problems:
        shown = check.problems[:20]
        more = len(check.problems) - len(shown)
        raise InvalidInput("\n".join([*shown, *([f"and {more} more"] if more else [])]), check.hint)
    return replace(given, files=files, input_filter=check.input_filter())


class _Check:
    """Looks at the beginnings of files."""

    def __init__(self, is_csv: bool, columns: Columns | None) -> None:  # noqa: FBT001 - of this module alone
        self._is_csv = is_csv
        self._columns = columns.names if columns else None
        self._headers: dict[tuple[str, ...], str] = {}
        self.problems: list[str] = []
        self.hint: str | None = None

    def file(self, file: File, head: bytes) -> File:
        """Return the file with what its beginning says of it."""
        if not head:
            self.problems.append(f"{file.name} is empty.")
            return file
        whole = head[: head.rfind(b"\n") + 1] or head
        if b"\0" in head or _undecodable(whole):
            self.problems.append(f"{file.name} is no text in UTF-8; it must be lines of {self._what}.")
            return file
        lines = whole.removeprefix(_BOM).splitlines()
        about = round(file.size * max(len(lines), 1) / max(len(whole), 1))
        file = replace(file, about_rows=about)
        return self._csv(file, lines, head) if self._is_csv else self._json(file, lines)

    def input_filter(self) -> str:
        """Return which columns the model gets: all, or those of the header in the model's order."""
        if not self._headers or self._columns is None:
            return "$"
        header = next(iter(self._headers))
        if header == self._columns:
            return "$"
        places = ",".join(str(header.index(name)) for name in self._columns)
        if len(places) + 3 > _LONGEST_FILTER:
            raise InvalidInput(
                "The columns are not in the model's order, and the filter that would choose them is too long for AWS.",
                f"Write them in this order: {', '.join(self._columns)}.",
            )
        return f"$[{places}]"

    @property
    def _what(self) -> str:
        return "CSV" if self._is_csv else "JSON"

    def _csv(self, file: File, lines: list[bytes], head: bytes) -> File:
        cells = _cells(lines[0])
        if self._is_header(cells, lines):
            return self._header(file, cells, head)
        if self._headers:
            self.problems.append(f"{file.name} has no header line, others have one.")
        if self._columns is not None and len(cells) != len(self._columns):
            self.problems.append(
                f"{file.name}: line 1 has {len(cells)} values; it must have {len(self._columns)}: "
                f"{', '.join(self._columns)}."
            )
        return file

    def _is_header(self, cells: list[str], lines: list[bytes]) -> bool:
        """With a schema as the model server finds it: a line with the name of a column."""
        if self._columns is not None:
            return not set(self._columns).isdisjoint(cells)
        second = _cells(lines[1]) if len(lines) > 1 else []
        return not any(map(_is_number, cells)) and any(map(_is_number, second))

    def _header(self, file: File, cells: list[str], head: bytes) -> File:
        if file.path is None:
            self.problems.append(f"{file.name} has a header line: {', '.join(cells)[:200]}.")
            self.hint = (
                "SageMaker sends each piece of a file by itself, and only the first would have the header. "
                "Name the file on this machine instead: it is uploaded without that line."
            )
            return file
        if self._columns is None:
            self.problems.append(f"{file.name} has a header line, but the model has no schema to compare it with.")
            self.hint = "Take the line away, if the columns are in the order in which the model takes them."
            return file
        absent = [name for name in self._columns if name not in cells]
        if absent:
            self.problems.append(f"{file.name}: the column {names(absent)} is missing.")
        elif not self._headers or tuple(cells) in self._headers:
            self._headers[tuple(cells)] = file.name
        else:
            self.problems.append(f"{file.name} has another header line than {next(iter(self._headers.values()))}.")
        end = head.find(b"\n") + 1
        if not end or end >= file.size:
            self.problems.append(f"{file.name} has a header line, but no rows.")
        return replace(file, skip=end)

    def _json(self, file: File, lines: list[bytes]) -> File:
        import json  # noqa: PLC0415 - of JSON lines alone

        try:
            found = json.loads(lines[0])
        except ValueError as error:
            self.problems.append(f"{file.name}: line 1 is not JSON: {error}.")
            return file
        if isinstance(found, dict) and self._columns is not None and not set(self._columns) & set(found):
            self.problems.append(f"{file.name}: line 1 has none of the columns {', '.join(self._columns)}.")
        return file


def _undecodable(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError as error:
        return error.start < len(content) - 4  # the last character may be cut
    return False


def _cells(line: bytes) -> list[str]:
    try:
        rows = list(csv.reader(io.StringIO(line.decode("utf-8", "replace"))))
    except csv.Error:
        return []
    return [cell.strip() for cell in rows[0]] if rows else []


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _content(files: Sequence[File]) -> tuple[str, tuple[File, ...]]:
    """Return what names the files by their content, and the files with their rows counted."""
    whole, counted = hashlib.sha256(), []
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
        with (file.path or Path()).open("rb") as source:
            source.seek(file.skip)
            s3.put_object(
                Bucket=given.bucket, Key=given.prefix + file.name, Body=source, ContentType=given.content_type
            )

    with ThreadPoolExecutor(_THREADS) as threads:
        list(threads.map(put, missing))
    return len(missing)
