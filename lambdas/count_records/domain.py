"""What is a new object of data, and how many records does it hold. Pure: content comes as a stream."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import zlib
from dataclasses import dataclass
from typing import Any, BinaryIO, Protocol

_CSV = (".csv", ".csv.gz")
_LINES = tuple(f"{name}{packed}" for name in (".jsonl", ".ndjson", ".json") for packed in ("", ".gz"))
KNOWN = (*_CSV, *_LINES)
_LARGEST_FIELD = 16 * 1024 * 1024  # one quote too many makes one field of all that follows: not of all the memory
_CHUNK = 1024 * 1024


class UncountableData(Exception):
    """The object's records cannot be counted; the text says why."""


class Stream(Protocol):
    """What S3 answers with."""

    def read(self, amt: int, /) -> bytes:
        """Return the next bytes, none at the end."""


@dataclass(frozen=True)
class NewObject:
    """One writing of an object, as S3 tells of it: https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html."""

    bucket: str
    key: str
    version: str | None
    """None in a bucket that keeps no versions."""
    writing: str
    """What names this writing: the version, or S3's sequencer."""

    @classmethod
    def of(cls, detail: dict[str, Any]) -> NewObject:
        """Read the event's detail."""
        found = detail["object"]
        version = found.get("version-id")
        version = None if version in {None, "", "null"} else str(version)
        return cls(detail["bucket"]["name"], found["key"], version, version or str(found["sequencer"]))

    @property
    def uri(self) -> str:
        """Where it lies."""
        return f"s3://{self.bucket}/{self.key}"

    @property
    def identity(self) -> str:
        """The same for every event about this writing, another for the next one."""
        return hashlib.sha256(f"{self.uri}#{self.writing}".encode()).hexdigest()

    def is_data(self, prefix: str) -> bool:
        """Whether it may hold records: not a folder's placeholder, nor what has a name that begins with `_` or `.`.

        So do markers have, and what Spark has not finished (`_temporary/`); `prefix` (`s3://bucket/prefix/`) aside.
        """
        names = self.uri.removeprefix(prefix).split("/")
        return bool(names[-1]) and not any(name.startswith(("_", ".")) for name in names)


def count(key: str, stream: Stream) -> int:
    """How many records the content of `key` holds: rows of a CSV without its header, lines of JSON Lines.

    Raises:
        UncountableData: it is of another kind, or not what its name says.
    """
    name = key.lower()
    if not name.endswith(KNOWN):
        raise UncountableData(f"its name ends with none of {', '.join(KNOWN)}")
    source: BinaryIO = io.BufferedReader(_Raw(stream), _CHUNK)
    try:
        if name.endswith(".gz"):
            source = gzip.GzipFile(fileobj=source)  # type: ignore[assignment] # a GzipFile reads like one
        return _rows(source) if name.endswith(_CSV) else _lines(source)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise UncountableData(f"it is no whole gzip file: {error}") from error


class _Raw(io.RawIOBase):
    """A stream as what Python's readers take; faults of the connection pass through."""

    def __init__(self, stream: Stream) -> None:
        super().__init__()
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        found = self._stream.read(len(buffer))
        buffer[: len(found)] = found
        return len(found)


def _rows(source: BinaryIO) -> int:
    """Rows that are not blank, without the first; a line end within quotes ends no row."""
    csv.field_size_limit(_LARGEST_FIELD)
    text = io.TextIOWrapper(source, "utf-8-sig", errors="replace", newline="")  # only counted: no character matters
    rows = csv.reader(text)
    try:
        return max(sum(1 for row in rows if row) - 1, 0)
    except csv.Error as error:
        raise UncountableData(f"it is no CSV file at line {rows.line_num}: {error}") from error


def _lines(source: BinaryIO) -> int:
    """Lines that are not blank; the first must be JSON by itself, which tells JSON Lines from a JSON document."""
    found = 0
    for number, line in enumerate(source, start=1):
        if not line.strip():
            continue
        if not found:
            _check_line(line, number)
        found += 1
    return found


def _check_line(line: bytes, number: int) -> None:
    try:
        json.loads(line.decode("utf-8-sig"))
    except ValueError as error:
        raise UncountableData(f"it has no record a line: line {number} is no JSON ({error})") from error


def message(pipeline: str, uri: str, problem: str) -> str:
    """What a person reads of an object that does not count."""
    return (
        f"New data of {pipeline} could not be counted, so they bring no run nearer.\n"
        f"Object: {uri}\n"
        f"Reason: {problem}.\n"
        f"What to do: put them there as {', '.join(KNOWN)}, or start a run by hand: modelwright run {pipeline}."
    )


def execution_input(pipeline: str, trigger: str, prefix: str) -> str:
    """The input of the run on everything that lies there; the same text for the same trigger."""
    return json.dumps(
        {
            "schema": 1,
            "pipeline": pipeline,
            "release": "default",
            "trigger": {"kind": "data", "id": trigger},
            "data": prefix,
        },
        sort_keys=True,
    )
