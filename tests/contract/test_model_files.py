"""What `PackageModel` says of a model's files is what our server finds where the archive is unpacked."""

from __future__ import annotations

import io
import tarfile
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modelwright.serving.archive import unpack
from modelwright.serving.files import files_sha256, verify_files
from modelwright.serving.problems import ArchiveError
from package_model.archive import combine

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ("s3://b/model.tar.gz", "s3://b/code.tar.gz")
NAME = st.text(st.characters(exclude_characters="/\0\\", exclude_categories=("Cs",)), min_size=1, max_size=20).filter(
    lambda name: name not in (".", "..", "code")
)


def tar(files: dict[str, bytes]) -> tarfile.TarFile:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as archive:
        for name, content in files.items():
            header = tarfile.TarInfo(name)
            header.size = len(content)
            archive.addfile(header, io.BytesIO(content))
    raw.seek(0)
    return tarfile.open(fileobj=raw)


def packaged(place: Path, model: dict[str, bytes], code: dict[str, bytes]) -> tuple[Path, str]:
    """The folder that the packaged archive is unpacked to, and the hash that was told with it."""
    archive = place / "model.tar.gz"
    with archive.open("wb") as file:
        told = combine(tar(model), tar({"inference.py": b"", **code}), file, NAMES)
    unpack(archive, place / "model")
    return place / "model", told


@given(
    model=st.dictionaries(NAME, st.binary(max_size=40), min_size=1, max_size=4),
    code=st.dictionaries(st.lists(NAME, min_size=2, max_size=2).map("/".join), st.binary(max_size=40), max_size=3),
)
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_both_find_the_same(tmp_path_factory: pytest.TempPathFactory, model: dict, code: dict) -> None:  # type: ignore[type-arg]
    folder, told = packaged(tmp_path_factory.mktemp("files"), model, code)
    assert files_sha256(folder) == told


def test_a_file_more_less_other_or_renamed_is_another_model(tmp_path: Path) -> None:
    folder, told = packaged(tmp_path, {"model.joblib": b"1", "a/b": b"2"}, {"helper.py": b"x = 1"})
    verify_files(folder, told)
    (folder / "empty").mkdir()  # nothing can be loaded from it
    verify_files(folder, told)
    one = folder / "model.joblib"
    for change, back in (
        (lambda: one.write_bytes(b"3"), lambda: one.write_bytes(b"1")),
        ((folder / "code" / "x.py").touch, (folder / "code" / "x.py").unlink),
        (lambda: one.rename(folder / "other"), lambda: (folder / "other").rename(one)),
        (one.unlink, lambda: one.write_bytes(b"1")),
    ):
        change()
        with pytest.raises(ArchiveError, match=f"but {told} was expected; none of them is loaded"):
            verify_files(folder, told)
        back()
        verify_files(folder, told)


def test_a_link_is_refused_whatever_it_leads_to(tmp_path: Path) -> None:
    folder, told = packaged(tmp_path, {"model.joblib": b"1"}, {})
    (folder / "link").symlink_to(folder / "model.joblib")
    with pytest.raises(ArchiveError, match="link is no plain file"):
        verify_files(folder, told)
