from __future__ import annotations

import gzip
import io
import tarfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from package_model.archive import ArchiveInvalid, ModelTooLarge, combine, inflate, open_tar

NAMES = ("s3://b/model.tar.gz", "s3://b/code.tar.gz")
CODE = {"inference.py": b"def model_fn(d): ...", "helper/x.py": b"x = 1"}


def tar_gz(files: dict[str, bytes], *, mtime: int = 5, reverse: bool = False) -> bytes:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w:gz") as archive:
        for name in sorted(files, reverse=reverse):
            header = tarfile.TarInfo(name)
            header.size, header.mtime, header.uname = len(files[name]), mtime, "somebody"
            archive.addfile(header, io.BytesIO(files[name]))
    return raw.getvalue()


def opened(content: bytes, name: str = NAMES[0]) -> tarfile.TarFile:
    target = io.BytesIO()
    inflate(io.BytesIO(content), target, name, 10**7)
    return open_tar(target, name)


def combined(model: bytes, code: bytes) -> bytes:
    target = io.BytesIO()
    combine(opened(model), opened(code, NAMES[1]), target, NAMES)
    return target.getvalue()


def files_in(content: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        return {item.name: (archive.extractfile(item) or io.BytesIO()).read() for item in archive}


def test_the_code_lies_beside_the_model_under_code() -> None:
    found = files_in(combined(tar_gz({"./model.joblib": b"m", "meta/a.json": b"{}"}), tar_gz(CODE)))
    assert found == {
        "model.joblib": b"m",
        "meta/a.json": b"{}",
        "code/inference.py": CODE["inference.py"],
        "code/helper/x.py": b"x = 1",
    }


def test_equal_contents_give_equal_bytes_whatever_their_order_times_and_owners() -> None:
    files = {"a": b"1", "b": b"2"}
    one = combined(tar_gz(files, mtime=1), tar_gz(CODE, mtime=2))
    other = combined(tar_gz(files, mtime=9, reverse=True), tar_gz(CODE, reverse=True))
    assert one == other


def test_code_in_the_trained_archive_gives_way_to_the_release_s() -> None:
    found = files_in(combined(tar_gz({"m": b"m", "code/inference.py": b"old", "code/old.py": b""}), tar_gz(CODE)))
    assert found["code/inference.py"] == CODE["inference.py"]
    assert "code/old.py" not in found


@settings(max_examples=50)
@given(st.dictionaries(st.from_regex(r"[a-z]{1,8}(/[a-z]{1,8})?", fullmatch=True), st.binary(max_size=300), min_size=1))
def test_every_byte_of_the_model_arrives(files: dict[str, bytes]) -> None:
    files = {name: content for name, content in files.items() if not any(o.startswith(name + "/") for o in files)}
    kept = {name: content for name, content in files.items() if not name.startswith("code/")}
    if not kept:
        return
    found = files_in(combined(tar_gz(files), tar_gz(CODE)))
    assert {name: found[name] for name in kept} == kept


@pytest.mark.parametrize(
    ("model", "code", "message"),
    [
        (tar_gz({}), tar_gz(CODE), "holds no file; train.py must write the model"),
        (tar_gz({"m": b""}), tar_gz({"x.py": b""}), "has no inference.py"),
        (tar_gz({"../m": b""}), tar_gz(CODE), "lies outside the archive"),
        (tar_gz({"/m": b""}), tar_gz(CODE), "lies outside the archive"),
        (b"no archive", tar_gz(CODE), "is no whole .tar.gz"),
        (b"", tar_gz(CODE), "is no tar archive|is no whole"),
        (gzip.compress(b"no tar" * 200), tar_gz(CODE), "is no tar archive"),
        (tar_gz({"m": b"x" * 5000})[:-20], tar_gz(CODE), "is no whole .tar.gz"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",  # archives hold the time of day
)
def test_each_bad_archive_says_what_is_bad(model: bytes, code: bytes, message: str) -> None:
    with pytest.raises(ArchiveInvalid, match=message):
        combined(model, code)


def test_links_are_refused() -> None:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w:gz") as archive:
        link = tarfile.TarInfo("model")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    with pytest.raises(ArchiveInvalid, match="links are not supported"):
        combined(raw.getvalue(), tar_gz(CODE))


def test_a_model_beyond_the_limit_stops_while_it_is_unpacked() -> None:
    target = io.BytesIO()
    with pytest.raises(ModelTooLarge, match="has more than 1000000 bytes unpacked; PackageModel packs at most that"):
        inflate(io.BytesIO(gzip.compress(bytes(50_000_000))), target, "m", 1_000_000)
    assert len(target.getvalue()) <= 1_000_000
