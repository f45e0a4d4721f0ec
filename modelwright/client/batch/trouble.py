"""Why a batch transform job failed: its data log, and the very lines that the model cannot take.

AWS's FailureReason is `ClientError: See job logs for more information`. The log names objects, never lines: a row that
the model's message counts is one of a piece, and of which piece nobody says.
https://docs.aws.amazon.com/sagemaker/latest/dg/batch-transform-errors.html
"""

from __future__ import annotations

import csv
import io
import json
import re
from itertools import islice
from typing import TYPE_CHECKING, Any

from modelwright.client.batch.columns import chosen
from modelwright.client.batch.input import CSV, BatchInput

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from modelwright.client.batch.heads import Columns, File
    from modelwright.client.session import Session

GROUP = "/aws/sagemaker/TransformJobs"
_LINE = re.compile(r"\[sagemaker logs\]: (.*)", re.DOTALL)
_MOST_LINES = 5
_MOST_FILES = 5
_LOOKED_AT_BYTES = 1 << 30


def explain(
    session: Session, name: str, given: BatchInput, files: Sequence[File], columns: Columns | None
) -> list[str]:
    """Return what is known of the failure: file and line, else what the model said. No output is there of `files`."""
    said = _said(session, name, given, files)
    undone = [file for file in files if file.name in said] or list(files)  # a log comes some seconds late
    found: list[str] = []
    for file in undone[:_MOST_FILES]:
        wrong = list(_wrong_lines(session, given, file, columns)) if columns else []
        text = " ".join(said.get(file.name, ["the job's log says nothing of it yet"]))
        found += wrong or [f"{file.name}: {text}"]
    more = len(undone) - _MOST_FILES
    if more > 0:
        found.append(f"and {more} more files")
    return found


def _said(session: Session, name: str, given: BatchInput, files: Sequence[File]) -> dict[str, list[str]]:
    """Return what the data log says of each object."""
    client = session.client("logs")
    addresses = {f"{given.bucket}/{given.prefix}{file.name}": file.name for file in files}
    said: dict[str, list[str]] = {}
    pages = client.get_paginator("filter_log_events")
    try:
        for page in pages.paginate(logGroupName=GROUP, logStreamNamePrefix=f"{name}/"):
            for event in page["events"]:
                line = _LINE.search(event["message"])
                address, colon, text = line[1].partition(": ") if line else ("", "", "")
                if colon and address in addresses:
                    said.setdefault(addresses[address], []).extend(_plain(text))
    except client.exceptions.ResourceNotFoundException:
        return {}
    return said


def _plain(text: str) -> list[str]:
    """Our server answers `{"error": …, "message": …}`: the message is for people."""
    text = text.strip()
    if text in {"", "Message:"}:
        return []
    try:
        found = json.loads(text)
    except ValueError:
        return [text]
    return [str(found["message"])] if isinstance(found, dict) and found.get("message") else [text]


def _wrong_lines(session: Session, given: BatchInput, file: File, columns: Columns) -> Iterator[str]:
    header = 1 if file.skip else 0
    found = _problems(_rows(_lines(session, given, file), given), columns)
    for number, problem in islice(found, _MOST_LINES):
        yield f"{file.name}: line {number + header}: {problem}"


def _lines(session: Session, given: BatchInput, file: File) -> Iterator[bytes]:
    if file.path is not None:
        with file.path.open("rb") as source:
            source.seek(file.skip)
            yield from source
    elif file.size <= _LOOKED_AT_BYTES:
        body = session.client("s3").get_object(Bucket=given.bucket, Key=given.prefix + file.name)["Body"]
        for line in body.iter_lines(1 << 20):
            yield line + b"\n"


def _rows(lines: Iterable[bytes], given: BatchInput) -> Iterator[list[str] | dict[str, Any] | str]:
    """Yield what each line says; a text where it says nothing that can be understood."""
    for line in lines:
        text = line.decode("utf-8", "replace").rstrip("\r\n")
        if given.content_type != CSV:
            yield _record(text)
            continue
        try:
            cells = next(csv.reader(io.StringIO(text), strict=True), [])
        except csv.Error as error:
            yield f"it is not CSV: {error}"
            continue
        yield _of_the_model(cells, given)


def _of_the_model(cells: list[str], given: BatchInput) -> list[str] | str:
    """Return what of a record the model gets."""
    try:
        here = cells if given.order is None else [cells[place] for place in given.order]
        return chosen(given.input_filter, here)
    except IndexError:
        return f"it has {len(cells)} values, fewer than its header or its first line"


def _record(text: str) -> dict[str, Any] | str:
    try:
        found = json.loads(text)
    except ValueError as error:
        return f"it is not JSON: {error}"
    return found if isinstance(found, dict) else "it is no object of JSON"


def _problems(rows: Iterable[list[str] | dict[str, Any] | str], columns: Columns) -> Iterator[tuple[int, str]]:
    width = len(columns.names)
    for number, row in enumerate(rows, 1):
        if isinstance(row, str):
            yield number, row
        elif isinstance(row, list) and len(row) != width:
            yield number, f"it has {len(row)} values; it must have {width}: {', '.join(columns.names)}"
        else:
            yield from ((number, problem) for problem in columns.problems(row))
