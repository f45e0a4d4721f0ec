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


def test_what_comes_in_is_kept_when_it_is_taken(objects: ObjectStore) -> None:
    file = objects.incoming()
    objects.receive(file, [b"hel", b"lo"])
    assert (file.size, file.sha256, file.md5) == (5, HELLO, "5d41402abc4b2a76b9719d911017c592")
    assert objects.hashes() == []
    assert objects.take(file) == HELLO
    file.discard()
    assert objects.read(HELLO) == b"hello"
    assert list((objects.directory / "incoming").iterdir()) == []


def test_what_comes_in_is_gone_when_it_is_not_taken_also_after_a_crash(objects: ObjectStore) -> None:
    left = objects.directory / "incoming"
    given_up, of_nobody, cut_off = objects.incoming(), objects.incoming(), objects.incoming()
    objects.receive(cut_off, [b"hel"])
    given_up.release()
    del of_nobody
    assert list(left.iterdir()) == [cut_off.path]
    ObjectStore(objects.directory)
    assert list(left.iterdir()) == []


def test_what_an_object_has_is_not_released(objects: ObjectStore) -> None:
    file = objects.incoming()
    file.claim()
    file.release()
    assert file.path.exists()
    file.discard()
    assert not file.path.exists()
