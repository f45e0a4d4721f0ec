"""The beginnings of files, looked at before a batch transform job: what they hold, and in which order.

SageMaker sends each piece of a file to the model by itself, so that only the first would have a header line; of one
that has it, the answers are a line fewer than the records, and nothing can be joined.
https://docs.aws.amazon.com/sagemaker/latest/dg/batch-transform.html
"""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from modelwright.client.batch.columns import choose
from modelwright.errors import names

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

HEAD_BYTES = 1 << 16
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


class Check:
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

    def order(self) -> tuple[str, tuple[int, ...] | None]:
        """Return which columns the model gets, and how those of the files are to be put before they are uploaded."""
        if not self._headers or self._columns is None:
            return "$", None
        return choose(next(iter(self._headers)), self._columns)

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
        twice = [name for name in self._columns if cells.count(name) > 1]
        if twice:
            self.problems.append(f"{file.name}: the header has {names(twice)} more than once.")
        elif absent:
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
