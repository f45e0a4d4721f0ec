"""What lies in S3, without the commands that show it."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from fake_aws import FakeSession, Pages

from modelwright.client.objects import Address, Entry, entries, fetch, parse
from modelwright.errors import DataNotFound, NameTaken, WrongUsage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

AT = datetime(2026, 1, 2, tzinfo=UTC)


class MissingError(Exception):
    pass


class Bucket:
    """One bucket, `b`."""

    class exceptions:  # noqa: N801 # botocore's name
        NoSuchKey = NoSuchBucket = MissingError

    def __init__(self, **found: bytes) -> None:
        self.found = found

    def get_paginator(self, _: str) -> Pages:
        return Pages(self._list)

    def _list(self, **request: Any) -> Iterator[dict[str, Any]]:
        if request["Bucket"] != "b":
            raise MissingError
        prefix, split = request["Prefix"], request.get("Delimiter", "\0")
        keys = [key for key in sorted(self.found) if key.startswith(prefix)]
        folders = dict.fromkeys(
            prefix + key.removeprefix(prefix).split(split)[0] + split
            for key in keys
            if split in key.removeprefix(prefix)
        )
        yield {"CommonPrefixes": [{"Prefix": each} for each in folders]}
        for key in keys:
            if split not in key.removeprefix(prefix):
                yield {"Contents": [{"Key": key, "Size": len(self.found[key]), "LastModified": AT}]}

    def get_object(self, **request: Any) -> dict[str, Any]:
        if request["Bucket"] != "b" or request["Key"] not in self.found:
            raise MissingError
        return {"Body": io.BytesIO(self.found[request["Key"]])}


def session(**found: bytes) -> Any:
    return FakeSession(s3=Bucket(**found))


def test_an_address_is_a_bucket_and_a_key() -> None:
    assert parse("s3://b/x/y z") == Address("b", "x/y z")
    assert parse("s3://b") == parse("s3://b/") == Address("b", "")


@pytest.mark.parametrize("text", ["", "b/x", "s3://", "s3:///x", "https://b/x"])
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(WrongUsage, match="is no address in S3"):
        parse(text)


def test_folders_are_one_line_unless_they_are_opened() -> None:
    there = session(**{"a/1": b"x", "a/2": b"yy", "top": b""})
    top = [Entry(Address("b", "a/")), Entry(Address("b", "top"), 0, AT)]
    assert list(entries(there, parse("s3://b"))) == top
    assert [str(each.address) for each in entries(there, parse("s3://b"), recursive=True)] == [
        "s3://b/a/1",
        "s3://b/a/2",
        "s3://b/top",
    ]
    with pytest.raises(DataNotFound, match="There is no bucket nope"):
        list(entries(there, parse("s3://nope")))


def test_one_object_goes_to_a_file_or_into_a_folder(tmp_path: Path) -> None:
    there = session(**{"a/1": b"x"})
    assert fetch(there, parse("s3://b/a/1"), tmp_path / "n/f") == [tmp_path / "n/f"]
    assert fetch(there, parse("s3://b/a/1"), tmp_path) == [tmp_path / "1"]
    assert (tmp_path / "1").read_bytes() == (tmp_path / "n/f").read_bytes() == b"x"
    with pytest.raises(DataNotFound, match="There is no object s3://b/nope"):
        fetch(there, parse("s3://b/nope"), tmp_path / "f")
    assert not (tmp_path / "f").exists()


def test_all_below_a_folder_keeps_its_tree(tmp_path: Path) -> None:
    there = session(**{"a/": b"", "a/1": b"x", "a/d/2": b"yy", "ab": b"no"})
    assert fetch(there, parse("s3://b/a/"), tmp_path / "got") == [tmp_path / "got/1", tmp_path / "got/d/2"]
    with pytest.raises(DataNotFound, match="Nothing lies below s3://b/none/"):
        fetch(there, parse("s3://b/none/"), tmp_path)


def test_no_key_leads_out_of_the_folder(tmp_path: Path) -> None:
    for key in ("a/../../out", "a//etc/x"):
        with pytest.raises(WrongUsage, match="leads out of"):
            fetch(session(**{"a/1": b"x", key: b"x"}), parse("s3://b/a/"), tmp_path / "got")
    assert not list(tmp_path.iterdir())


def test_a_folder_is_not_replaced_by_a_file(tmp_path: Path) -> None:
    (tmp_path / "1").mkdir()
    with pytest.raises(NameTaken, match="is a folder"):
        fetch(session(**{"a/1": b"x"}), parse("s3://b/a/1"), tmp_path)


def test_a_copy_that_breaks_leaves_nothing(tmp_path: Path) -> None:
    class Broken(io.BytesIO):
        def read(self, *_: Any) -> bytes:
            raise OSError(5, "broken")

    there = session(a=b"x")
    there.client("s3").get_object = lambda **_: {"Body": Broken()}
    with pytest.raises(OSError, match="broken"):
        fetch(there, parse("s3://b/a"), tmp_path / "a")
    assert not list(tmp_path.iterdir())
