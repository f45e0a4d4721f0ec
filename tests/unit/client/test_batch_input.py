"""What `modelwright batch` reads: files here or in S3, their headers and columns."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from fake_batch import COLUMNS, PEN, Aws, incoming, read

from modelwright.client.batch.columns import choose, moved
from modelwright.client.batch.input import read_input, upload
from modelwright.errors import DataNotFound, InvalidInput, WrongUsage

if TYPE_CHECKING:
    from pathlib import Path


def test_a_folder_in_s3_is_all_that_is_below_it() -> None:
    aws = incoming(
        **{"day/a.csv": "a,1\n", "day/b/c.csv": "b,2\n", "day/_SUCCESS": "", "day-2/d.csv": "a,1\n", "day/": ""}
    )
    for uri in ("s3://data/incoming/pen/day/", "s3://data/incoming/pen/day"):
        found = read(aws, uri)
        assert ([file.name for file in found.files], found.prefix) == (["a.csv", "b/c.csv"], "incoming/pen/day/")


def test_an_object_is_not_what_begins_like_it() -> None:
    found = read(incoming(**{"a.csv": "a,1\n", "a.csv.bak": "x"}), "s3://data/incoming/pen/a.csv")
    assert [file.name for file in found.files] == ["a.csv"]


@pytest.mark.parametrize(
    "uri", ["s3://other/x/", "s3://data/incoming/pen-guins/x", "s3://artifacts/runs/pen/", "s3://data"]
)
def test_other_places_are_refused(uri: str) -> None:
    with pytest.raises(WrongUsage, match="aws s3 cp"):
        read(Aws(), uri)


def test_nothing_there_is_said() -> None:
    with pytest.raises(DataNotFound, match="no object"):
        read(incoming(**{"day-2/a.csv": "a,1\n"}), "s3://data/incoming/pen/day")


def test_all_that_is_wrong_is_told_at_once() -> None:
    files = {"d/empty.csv": "", "d/wide.csv": "a,1,2\n", "d/head.csv": "kind,size\na,1\n", "d/zero.csv": "\0\n"}
    with pytest.raises(InvalidInput) as raised:
        read(incoming(**files), "s3://data/incoming/pen/d/")
    said = str(raised.value)
    assert "empty.csv is empty." in said
    assert "wide.csv: line 1 has 3 values; it must have 2: kind, size." in said
    assert "head.csv has a header line: kind, size." in said
    assert "zero.csv is no text" in said
    assert "Name the file on this machine instead" in said


def test_a_header_here_is_left_out_and_says_the_order(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("size,id,kind\n1,x,a\n2,y,b\n")
    aws = Aws()
    found = read(aws, str(tmp_path))
    assert (found.input_filter, found.order, found.rows()) == ("$[:2]", (2, 0, 1), (2, True))
    assert upload(aws, found) == 1
    assert list(aws.objects.values()) == [b"a,1,x\nb,2,y\n"]
    assert upload(aws, read(aws, str(tmp_path))) == 0, "the same content is uploaded once"
    (tmp_path / "a.csv").write_text("size,id,kind\n1,x,b\n")
    assert upload(aws, read(aws, str(tmp_path))) == 1


def test_headers_must_be_of_one_order(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("size,kind\n1,a\n")
    (tmp_path / "b.csv").write_text("kind,size\na,1\n")
    (tmp_path / "c.csv").write_text("a,1\n")
    (tmp_path / "d.csv").write_text("size,kind,size\n1,a,2\n")
    with pytest.raises(InvalidInput) as raised:
        read(Aws(), str(tmp_path))
    assert "b.csv has another header line than a.csv." in str(raised.value)
    assert "c.csv has no header line, others have one." in str(raised.value)
    assert "d.csv: the header has size more than once." in str(raised.value)


def test_without_a_schema_a_header_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("size,kind\n1,a\n")
    with pytest.raises(InvalidInput, match="no schema"):
        read_input(Aws(), PEN, str(tmp_path), None)  # type: ignore[arg-type] # a fake
    (tmp_path / "a.csv").write_text("a,b\nc,d\n")
    assert read_input(Aws(), PEN, str(tmp_path), None).input_filter == "$"  # type: ignore[arg-type] # a fake


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        ("kind,size", ("$", None)),
        ("id,kind,size", ("$[1,2]", None)),
        ("kind,id,size", ("$[0,2]", None)),
        ("size,kind", ("$", (1, 0))),
        ("size,id,kind", ("$[:2]", (2, 0, 1))),
        (",".join([f"c{number}" for number in range(9)] + ["kind", "size"]), ("$[9,10]", None)),
    ],
)
def test_a_filter_never_says_an_order(header: str, wanted: tuple[str, tuple[int, ...] | None]) -> None:
    """No page says whether `$[2,0]` keeps that order: columns in another one are moved before."""
    assert choose(header.split(","), COLUMNS.names) == wanted


def test_a_filter_that_would_be_longer_than_aws_takes_is_not_needed() -> None:
    columns = [f"c{number}" for number in range(40)]
    assert choose(["id", *columns], columns) == ("$[:40]", (*range(1, 41), 0))


def test_quoted_values_stay_what_they_are() -> None:
    assert b"".join(moved(io.BytesIO(b'1,"x, ""y""",a\r\nshort\n'), (2, 0, 1))) == b'a,1,"x, ""y"""\nshort\n'
