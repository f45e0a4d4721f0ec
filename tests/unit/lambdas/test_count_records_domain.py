from __future__ import annotations

import csv
import gzip
import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from count_records.domain import NewObject, UncountableData, count, execution_input

PREFIX = "s3://data/incoming/penguins/"


class Chunks(io.BytesIO):
    """A body that is read in small pieces, as one over a network."""

    def read(self, amount: int | None = -1) -> bytes:
        return super().read(min(amount, 7) if amount and amount > 0 else 7)


def counted(name: str, content: bytes | str) -> int:
    return count(name, Chunks(content if isinstance(content, bytes) else content.encode()))


@pytest.mark.parametrize(
    ("content", "records"),
    [
        ("", 0),
        ("a,b\n", 0),
        ("a,b\n1,2\n3,4", 2),
        ("a,b\r\n1,2\r\n\r\n3,4\r\n", 2),
        ("a,b\r1,2\r3,4\r", 2),
        ('a,b\n"one\nrow, ""quoted""\n",2\n', 1),
        ("\ufeffa,b\n1,2\n", 1),
        ('size\n5" pipe\n6\n', 2),
    ],
)
def test_rows_of_a_csv_are_counted_without_its_header(content: str, records: int) -> None:
    assert counted("x.csv", content) == records
    assert counted("X.CSV.GZ", gzip.compress(content.encode())) == records


@given(st.lists(st.lists(st.text(st.characters(exclude_characters="\0", codec="utf-8")), min_size=2, max_size=3)))
def test_what_a_csv_writer_writes_is_counted(rows: list[list[str]]) -> None:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([["a", "b"], *rows])
    assert counted("x.csv", text.getvalue()) == len(rows)


def test_a_csv_in_another_encoding_has_as_many_rows() -> None:
    assert counted("x.csv", "größe\nä\nö\n".encode("latin-1")) == 2


@pytest.mark.parametrize("name", ["x.jsonl", "x.ndjson", "x.json"])
@pytest.mark.parametrize(
    ("content", "records"), [("", 0), ('{"a": 1}\n\n{"a": 2}', 2), ('\n{"a": "\\n"}\r\n', 1), ("[1]\n[2]\n", 2)]
)
def test_lines_of_json_lines_are_counted(name: str, content: str, records: int) -> None:
    assert counted(name, content) == records
    assert counted(f"{name}.gz", gzip.compress(content.encode())) == records


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("x.parquet", b"PAR1", "its name ends with none of .csv, .csv.gz, .jsonl, .jsonl.gz, .ndjson"),
        ("x", b"a", "its name ends with none of"),
        ("x.csv.gz", b"a,b\n1,2\n", "it is no whole gzip file"),
        ("x.csv.gz", gzip.compress(b"a,b\n1,2\n" * 100, mtime=0)[:-9], "it is no whole gzip file"),
        ("x.csv.gz", gzip.compress(b"a,b\n1,2\n", mtime=0)[:12] + b"\xff" * 20, "it is no whole gzip file"),
        ("x.json", b'{\n  "a": 1\n}\n', "it has no record a line: line 1 is no JSON"),
        ("x.jsonl", b"\xff\xfe", "it has no record a line"),
    ],
)
def test_what_cannot_be_counted_is_named(name: str, content: bytes, problem: str) -> None:
    with pytest.raises(UncountableData, match=problem):
        counted(name, content)


def test_a_quote_that_never_ends_does_not_take_all_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("count_records.domain._LARGEST_FIELD", 1000)
    with pytest.raises(UncountableData, match="it is no CSV file at line"):
        counted("x.csv", 'a,b\n1,"' + "x\n" * 2000)


def test_a_fault_of_the_connection_is_no_fault_of_the_data() -> None:
    class Broken(io.BytesIO):
        def read(self, _amount: int | None = -1) -> bytes:
            raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        count("x.csv", Broken())


def told(key: str, **found: Any) -> NewObject:
    return NewObject.of({"bucket": {"name": "data"}, "object": {"key": key, "sequencer": "0A", **found}})


@pytest.mark.parametrize(
    ("key", "is_data"),
    [
        ("incoming/penguins/a.csv", True),
        ("incoming/penguins/day-1/a.csv", True),
        ("incoming/penguins/day-1/_SUCCESS", False),
        ("incoming/penguins/day-1/.a.csv.crc", False),
        ("incoming/penguins/_temporary/0/a.csv", False),
        ("incoming/penguins/day-1/", False),
    ],
)
def test_markers_and_placeholders_are_no_data(key: str, *, is_data: bool) -> None:
    assert told(key).is_data(PREFIX) is is_data


def test_one_writing_of_an_object_is_one_whoever_tells_of_it() -> None:
    one = told("k", **{"version-id": "v1"})
    assert one.identity == told("k", sequencer="0B", **{"version-id": "v1"}).identity
    assert one.identity != told("k", **{"version-id": "v2"}).identity
    assert told("k").identity != told("k", sequencer="0B").identity
    assert (told("k").version, told("k", **{"version-id": "null"}).version) == (None, None)


def test_the_input_is_the_same_text_for_the_same_trigger() -> None:
    text = execution_input("penguins", "id-1", PREFIX)
    assert text == execution_input("penguins", "id-1", PREFIX)
    assert json.loads(text) == {
        "schema": 1,
        "pipeline": "penguins",
        "release": "default",
        "trigger": {"kind": "data", "id": "id-1"},
        "data": PREFIX,
    }
