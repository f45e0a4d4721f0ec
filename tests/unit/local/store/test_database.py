from __future__ import annotations

import sqlite3
import threading
from typing import TYPE_CHECKING

import pytest

from modelwright.errors import StateUnusable
from modelwright.local.store.database import Database

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def database(tmp_path: Path):
    database = Database(tmp_path / "state.sqlite3")
    yield database
    database.close()


def test_a_document_survives_reopening(tmp_path: Path) -> None:
    first = Database(tmp_path / "s")
    first.put("job", "a", {"n": 1.5})
    first.close()
    second = Database(tmp_path / "s")
    assert second.get("job", "a") == {"n": 1.5}
    second.close()


def test_documents_are_listed_by_key_and_prefix(database: Database) -> None:
    for key in ("b/2", "a%/1", "b/1", "c", "a_/1"):
        database.put("job", key, {"key": key})
    database.put("other", "b/3", {})
    assert [key for key, _ in database.all("job", "b/")] == ["b/1", "b/2"]
    assert [key for key, _ in database.all("job", "a_")] == ["a_/1"]
    assert len(database.all("job")) == 5


def test_delete_removes_one_and_delete_all_a_prefix(database: Database) -> None:
    for key in ("a/1", "a/2", "b"):
        database.put("job", key, {})
    database.delete("job", "a/1")
    assert database.get("job", "a/1") is None
    database.delete_all("job", "a/")
    assert [key for key, _ in database.all("job")] == ["b"]


def test_a_stream_is_read_in_order_from_a_number_on(database: Database) -> None:
    database.append("s", [{"i": 0}, {"i": 1}])
    database.append("t", [{"i": 9}])
    database.append("s", [{"i": 2}])
    entries = database.read("s")
    assert [body["i"] for _, body in entries] == [0, 1, 2]
    assert [body["i"] for _, body in database.read("s", after=entries[0][0], limit=1)] == [1]
    assert database.streams() == ["s", "t"]
    database.delete_stream("s")
    assert database.read("s") == []


def test_a_transaction_is_kept_whole_or_not_at_all(database: Database) -> None:
    with pytest.raises(KeyError), database.transaction():  # noqa: PT012  # what is tested is what came before
        database.put("job", "a", {})
        with database.transaction():
            database.append("s", [{}])
        raise KeyError
    assert database.get("job", "a") is None
    assert database.read("s") == []


def test_an_inner_failure_that_is_handled_keeps_the_outer_transaction(database: Database) -> None:
    with database.transaction():
        database.put("job", "a", {})
        with pytest.raises(KeyError), database.transaction():
            raise KeyError
        database.put("job", "b", {})
    assert [key for key, _ in database.all("job")] == ["a", "b"]


def test_many_threads_write_at_once(database: Database) -> None:
    def write(worker: int) -> None:
        for i in range(50):
            database.append("s", [{"worker": worker, "i": i}])
            database.put("job", f"{worker}-{i}", {})

    threads = [threading.Thread(target=write, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(database.read("s")) == len(database.all("job")) == 200


def test_another_format_is_refused_by_number(tmp_path: Path) -> None:
    path = tmp_path / "s"
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version=99")
    connection.close()
    with pytest.raises(StateUnusable, match="format 99; this one reads 1"):
        Database(path)


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "s"
    path.write_bytes(b"not a database at all, but long enough to be read as one" * 100)
    with pytest.raises(StateUnusable, match="not a database"):
        Database(path)


def test_a_full_disk_is_a_clear_error_and_loses_nothing(database: Database) -> None:
    database.put("job", "a", {})
    database._connection.execute("PRAGMA max_page_count=8")
    with pytest.raises(StateUnusable, match=r"is full.*\nFree some space"):
        database.put("job", "b", {"text": "x" * 1_000_000})
    assert [key for key, _ in database.all("job")] == ["a"]
