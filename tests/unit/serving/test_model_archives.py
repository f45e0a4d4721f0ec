import gzip
import hashlib
import io
import tarfile

import pytest

from modelwright.serving.archive import Limits, unpack
from modelwright.serving.problems import ArchiveError


def make(path, *members, mode="w:gz"):
    with tarfile.open(path, mode) as tar:
        for name, content, changes in members:
            member = tarfile.TarInfo(name)
            data = content or b""
            member.size = len(data)
            for key, value in changes.items():
                setattr(member, key, value)
            tar.addfile(member, io.BytesIO(data) if member.isfile() else None)
    return path


def refused(archive, tmp_path, **more):
    into = tmp_path / "model"
    with pytest.raises(ArchiveError) as caught:
        unpack(archive, into, **more)
    assert not into.exists(), "nothing of a refused archive is left"
    return str(caught.value)


def test_members_at_the_root_are_unpacked(tmp_path):
    archive = make(
        tmp_path / "a.tar.gz", ("model.bin", b"\0\1", {}), ("code/inference.py", b"x = 1\n", {"mode": 0o600})
    )
    unpack(archive, tmp_path / "model", hashlib.sha256(archive.read_bytes()).hexdigest())
    assert (tmp_path / "model/model.bin").read_bytes() == b"\0\1"
    assert (tmp_path / "model/code/inference.py").read_text() == "x = 1\n"


def test_names_that_begin_with_a_dot_are_the_root_too(tmp_path):
    archive = make(tmp_path / "a.tar.gz", ("./", None, {"type": tarfile.DIRTYPE}), ("./model.bin", b"1", {}))
    unpack(archive, tmp_path / "model")
    assert (tmp_path / "model/model.bin").read_bytes() == b"1"


@pytest.mark.parametrize("name", ["../evil", "a/../../evil", "/etc/evil", "..\\evil"])
def test_a_path_that_leads_out_is_refused(tmp_path, name):
    archive = make(tmp_path / "a.tar.gz", ("good", b"1", {}), (name, b"1", {}))
    assert "leads out of the model's folder" in refused(archive, tmp_path)
    assert not (tmp_path / "evil").exists()


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE])
def test_links_are_refused(tmp_path, kind):
    archive = make(tmp_path / "a.tar.gz", ("good", b"1", {}), ("link", None, {"type": kind, "linkname": "good"}))
    assert "'link' is a link to 'good'" in refused(archive, tmp_path)


@pytest.mark.parametrize("kind", [tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE])
def test_devices_are_refused(tmp_path, kind):
    archive = make(tmp_path / "a.tar.gz", ("odd", None, {"type": kind}))
    assert "neither a file nor a folder" in refused(archive, tmp_path)


def test_what_is_not_gzip_is_refused(tmp_path):
    plain = make(tmp_path / "a.tar.gz", ("model.bin", b"1", {}), mode="w")
    assert "not gzip" in refused(plain, tmp_path)
    empty = tmp_path / "empty.tar.gz"
    empty.write_bytes(b"")
    assert "not gzip" in refused(empty, tmp_path)


def test_gzip_without_a_tar_is_refused(tmp_path):
    archive = tmp_path / "a.tar.gz"
    archive.write_bytes(gzip.compress(b"not a tar" * 200))
    assert "holds no tar" in refused(archive, tmp_path)


@pytest.mark.parametrize("part", [0.3, 0.6, 0.99])
def test_a_truncated_archive_is_refused(tmp_path, part):
    noise = hashlib.shake_256(b"noise").digest(200_000)
    whole = make(tmp_path / "a.tar.gz", ("model.bin", noise, {}), ("code/inference.py", b"1", {})).read_bytes()
    cut = tmp_path / "cut.tar.gz"
    cut.write_bytes(whole[: int(len(whole) * part)])
    assert "truncated" in refused(cut, tmp_path)


def test_a_flipped_bit_is_found(tmp_path):
    noise = hashlib.shake_256(b"noise").digest(50_000)
    data = bytearray(make(tmp_path / "a.tar.gz", ("model.bin", noise, {})).read_bytes())
    data[len(data) // 2] ^= 1
    (tmp_path / "a.tar.gz").write_bytes(data)
    assert "The model archive" in refused(tmp_path / "a.tar.gz", tmp_path)


def test_another_archive_than_the_expected_one_is_refused(tmp_path):
    archive = make(tmp_path / "a.tar.gz", ("model.bin", b"1", {}))
    found = hashlib.sha256(archive.read_bytes()).hexdigest()
    message = refused(archive, tmp_path, expected_sha256="0" * 64)
    assert found in message
    assert "0" * 64 in message


def test_an_extra_root_folder_is_named(tmp_path):
    archive = make(tmp_path / "a.tar.gz", ("model/model.bin", b"1", {}), ("model/code/inference.py", b"1", {}))
    assert "everything in the folder 'model'" in refused(archive, tmp_path)


def test_an_extra_root_folder_of_a_compiled_model_is_named(tmp_path):
    archive = make(tmp_path / "a.tar.gz", ("out/model.onnx", b"1", {}), ("out/schema.json", b"1", {}))
    assert "everything in the folder 'out'" in refused(archive, tmp_path)


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("code", "code/inference.py"), "'code/inference.py' cannot be unpacked: Not a directory"),
        (("code/inference.py", "code"), "'code' cannot be unpacked: Is a directory"),
        (("x" * 300,), "cannot be unpacked: File name too long"),
    ],
)
def test_a_member_that_no_disk_takes_is_named(tmp_path, names, said):
    assert said in refused(make(tmp_path / "a.tar.gz", *((name, b"1", {}) for name in names)), tmp_path)


def test_a_model_in_one_folder_without_code_is_left_as_it_is(tmp_path):
    archive = make(tmp_path / "a.tar.gz", ("saved_model/1/graph.pb", b"1", {}))
    unpack(archive, tmp_path / "model")
    assert (tmp_path / "model/saved_model/1/graph.pb").exists()


def test_an_empty_archive_is_refused(tmp_path):
    assert "empty" in refused(make(tmp_path / "a.tar.gz"), tmp_path)


def test_an_archive_that_would_fill_the_disk_is_refused(tmp_path):
    archive = make(tmp_path / "a.tar.gz", ("zeros", b"\0" * 100_000, {}))
    assert "more than 50000 bytes" in refused(archive, tmp_path, limits=Limits(total_bytes=50_000))
    archive = make(tmp_path / "b.tar.gz", *[(f"f{n}", b"", {}) for n in range(5)])
    assert "4 members" in refused(archive, tmp_path, limits=Limits(members=4))


def test_a_missing_archive_is_named(tmp_path):
    assert str(tmp_path / "none.tar.gz") in refused(tmp_path / "none.tar.gz", tmp_path)


def test_a_folder_with_something_in_it_is_not_written_to(tmp_path):
    archive = make(tmp_path / "a.tar.gz", ("model.bin", b"1", {}))
    (tmp_path / "model").mkdir()
    (tmp_path / "model/mine").write_text("kept")
    with pytest.raises(ArchiveError, match="not empty"):
        unpack(archive, tmp_path / "model")
    assert (tmp_path / "model/mine").read_text() == "kept"
