from __future__ import annotations

import io
import os
import tarfile
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelwright.client.releases import bundle
from modelwright.client.releases.bundle import make_bundle, pack
from modelwright.errors import BundleError

if TYPE_CHECKING:
    from pathlib import Path


def folder(root: Path, **files: str) -> Path:
    for name, text in files.items():
        path = root / name.replace("__", "/").replace("_DOT_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def unpack(archive: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        return {member.name: tar.extractfile(member).read() for member in tar}


def test_times_modes_and_order_of_creation_do_not_matter(tmp_path: Path) -> None:
    one = folder(tmp_path / "one", a_DOT_py="1", lib__b_DOT_py="2")
    two = folder(tmp_path / "two", lib__b_DOT_py="2", a_DOT_py="1")
    os.utime(two / "a.py", (1, 1))
    (two / "a.py").chmod(0o755)
    assert make_bundle(one).archive == make_bundle(two).archive


@given(st.dictionaries(st.from_regex(r"[a-z]{1,120}(/[a-zäß日]{1,60})?\.py", fullmatch=True), st.binary(max_size=99)))
def test_what_is_packed_is_unpacked(files: dict[str, bytes]) -> None:
    assert unpack(pack(files)) == files
    assert pack(files) == pack(dict(files))


def test_the_archive_says_nothing_of_its_maker(tmp_path: Path) -> None:
    archive = make_bundle(folder(tmp_path, a_DOT_py="1")).archive
    assert archive[3:8] == bytes(5)  # gzip: no name, no time
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        (member,) = tar.getmembers()
    assert (member.mtime, member.uid, member.gid, member.uname, member.gname, member.mode) == (0, 0, 0, "", "", 0o644)


def test_hidden_files_caches_and_what_is_left_out_are_not_in_it(tmp_path: Path) -> None:
    folder(tmp_path, a_DOT_py="1", _DOT_env="secret", __pycache____a="x", a_DOT_pyc="x", data__big="x", data__small="y")
    (tmp_path / ".ipynb_checkpoints").mkdir()
    (tmp_path / ".ipynb_checkpoints" / "a.py").write_text("old")
    found = make_bundle(tmp_path, leave_out=["data/big", "logs/"])
    assert list(found.files) == ["a.py", "data/small"]
    assert list(make_bundle(tmp_path, leave_out=["data/"]).files) == ["a.py"]


def test_requirements_are_those_of_the_folder_itself(tmp_path: Path) -> None:
    folder(tmp_path, a_DOT_py="1", lib__requirements_DOT_txt="x")
    assert not make_bundle(tmp_path).requirements
    folder(tmp_path, requirements_DOT_txt="x")
    assert make_bundle(tmp_path).requirements


def test_a_link_inside_is_followed(tmp_path: Path) -> None:
    folder(tmp_path, a_DOT_py="1", lib__b_DOT_py="2")
    (tmp_path / "c.py").symlink_to("a.py")
    (tmp_path / "also").symlink_to("lib")
    assert make_bundle(tmp_path).files == {"a.py": b"1", "also/b.py": b"2", "c.py": b"1", "lib/b.py": b"2"}


@pytest.mark.parametrize(
    ("link", "target", "message"),
    [
        ("x.py", "../outside.py", "x.py is a link to .*/outside.py, outside the pipeline's folder; copy the file"),
        ("x", "/etc", "x is a link to /etc, outside the pipeline's folder"),
        ("lib/up", "..", "lib/up is a link to a folder that it lies in; remove it."),
        ("x.py", "gone.py", "x.py is no file and no folder"),
    ],
)
def test_other_links_are_errors(tmp_path: Path, link: str, target: str, message: str) -> None:
    inside = folder(tmp_path / "in", a_DOT_py="1", lib__b_DOT_py="2")
    folder(tmp_path, outside_DOT_py="secret")
    (inside / link).symlink_to(target)
    with pytest.raises(BundleError, match=message):
        make_bundle(inside)


def test_links_in_a_circle_end(tmp_path: Path) -> None:
    folder(tmp_path, a__x_DOT_py="1", b__y_DOT_py="2")
    (tmp_path / "a" / "b").symlink_to("../b")
    (tmp_path / "b" / "a").symlink_to("../a")
    with pytest.raises(BundleError, match="is a link to a folder that it lies in"):
        make_bundle(tmp_path)


def test_an_empty_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="has no file to bundle"):
        make_bundle(folder(tmp_path, _DOT_hidden="x"))


def test_too_much_is_an_error_that_names_the_largest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder(tmp_path, a_DOT_py="1", big_DOT_bin="x" * 2**20)
    monkeypatch.setattr(bundle, "MAX_BYTES", 2**20)
    with pytest.raises(
        BundleError, match=r"has 1.0 MiB to bundle; at most 1 MiB are possible.\nThe largest .* big.bin \(1.0 MiB\)"
    ):
        make_bundle(tmp_path)
    monkeypatch.setattr(bundle, "MAX_FILES", 1)
    with pytest.raises(BundleError, match="has 2 files to bundle; at most 1 are possible"):
        make_bundle(tmp_path)
