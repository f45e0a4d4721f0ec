from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from modelwright.errors import StateUnusable
from modelwright.local.store.objects import ObjectStore

if TYPE_CHECKING:
    from pathlib import Path

HELLO = hashlib.sha256(b"hello").hexdigest()


@pytest.fixture
def objects(tmp_path: Path) -> ObjectStore:
    return ObjectStore(tmp_path / "objects")


def test_the_same_content_is_kept_once_however_it_came(objects: ObjectStore, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"hello")
    assert objects.put(b"hello") == objects.put(file) == objects.put_blocks([b"hel", b"lo"]) == HELLO
    assert objects.hashes() == [HELLO]
    assert objects.read(HELLO) == b"hello"
    assert file.exists()


def test_what_is_kept_cannot_be_written_to(objects: ObjectStore) -> None:
    assert objects.path(objects.put(b"hello")).stat().st_mode & 0o222 == 0


def test_an_adopted_file_is_moved(objects: ObjectStore, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"hello")
    assert objects.adopt(file) == HELLO
    assert not file.exists()
    assert objects.read(HELLO) == b"hello"


def test_a_write_that_fails_half_way_leaves_nothing(objects: ObjectStore) -> None:
    def blocks():
        yield b"half"
        raise KeyError

    with pytest.raises(KeyError):
        objects.put_blocks(blocks())
    assert objects.hashes() == []
    assert list((objects.directory / "incoming").iterdir()) == []


def test_what_a_crash_cut_off_is_removed_at_the_next_start(objects: ObjectStore) -> None:
    (objects.directory / "incoming" / "abc").write_bytes(b"half")
    objects.put(b"hello")
    again = ObjectStore(objects.directory)
    assert list((objects.directory / "incoming").iterdir()) == []
    assert again.hashes() == [HELLO]


def test_delete_removes_the_file_and_a_lost_one_is_named(objects: ObjectStore) -> None:
    objects.delete(objects.put(b"hello"))
    assert not objects.has(HELLO)
    with pytest.raises(StateUnusable, match="is missing"):
        objects.open(HELLO)


def test_a_folder_that_cannot_be_made_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "objects").write_text("a file is in the way")
    with pytest.raises(StateUnusable, match="cannot be written"):
        ObjectStore(tmp_path / "objects")
