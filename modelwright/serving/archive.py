"""The model archive: verified and unpacked so that nothing in it can write elsewhere.

SageMaker wants a gzip-compressed tar whose members lie at the root:
https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html
"""

from __future__ import annotations

import gzip
import hashlib
import shutil
import tarfile
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from modelwright.serving.problems import ArchiveError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MIB = 1024 * 1024
_AT_THE_ROOT = frozenset({"code", "model.onnx"})
_TRUNCATED = "The model archive is truncated: its data ends too early."


@dataclass(frozen=True)
class Limits:
    """How much an archive may unpack to, so that a small one cannot fill the disk."""

    total_bytes: int = 20 * 1024 * MIB
    members: int = 100_000


def unpack(archive: Path, into: Path, expected_sha256: str | None = None, limits: Limits | None = None) -> None:
    """Unpack `archive` into the folder `into`, which must be empty or missing.

    Raises ArchiveError, with what is wrong and where, when the archive is missing, is not the one of that SHA-256, is
    no gzip or no tar or ends too early, or has a member that is a link, a device, an absolute path or leads out of the
    folder. Nothing of a refused archive is left.
    """
    if not archive.is_file():
        raise ArchiveError(f"There is no model archive at {archive}.")
    if expected_sha256 is not None:
        verify(archive, expected_sha256)
    into.mkdir(parents=True, exist_ok=True)
    if any(into.iterdir()):
        raise ArchiveError(f"{into} is not empty; a model is unpacked into a folder of its own.")
    try:
        _extract(archive, into, limits or Limits())
    except BaseException:
        shutil.rmtree(into, ignore_errors=True)
        raise


def verify(archive: Path, expected_sha256: str) -> None:
    """Raise ArchiveError unless the file has that SHA-256: a pickled model runs code when it is loaded."""
    with archive.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != expected_sha256:
        raise ArchiveError(
            f"The model archive has the SHA-256 {found}, but {expected_sha256} was expected; it is not loaded."
        )


def _extract(archive: Path, into: Path, limits: Limits) -> None:
    files: list[PurePosixPath] = []
    count = size = 0
    with _reading(archive) as tar:
        for member in tar:
            _check_member(member)
            count, size = count + 1, size + member.size
            if count > limits.members or size > limits.total_bytes:
                raise ArchiveError(
                    f"The model archive unpacks to more than {limits.total_bytes} bytes or {limits.members} members."
                )
            _write(tar, member, into)
            if member.isfile():
                files.append(PurePosixPath(member.name))
        _read_to_end(tar)
    if not files:
        raise ArchiveError("The model archive is empty: it has no file.")
    _check_root(files)


def _write(tar: tarfile.TarFile, member: tarfile.TarInfo, into: Path) -> None:
    try:
        tar.extract(member, into, set_attrs=False, filter="data")
        if member.isfile():
            (into / member.name).chmod(0o755 if member.mode & 0o100 else 0o644)
    except (gzip.BadGzipFile, EOFError):
        raise  # of the archive, not of this member
    except OSError as error:
        reason = error.strerror or error
        raise ArchiveError(f"The model archive's member {member.name[:200]!r} cannot be unpacked: {reason}.") from None


@contextmanager
def _reading(archive: Path) -> Iterator[tarfile.TarFile]:
    """Open the archive, and say in one sentence what is wrong with one that cannot be read."""
    with archive.open("rb") as file:
        if file.read(2) != b"\x1f\x8b":
            raise ArchiveError("The model archive is not gzip: make it with `tar -czf model.tar.gz -C model .`")
    try:
        with tarfile.open(archive, "r:gz") as tar:
            yield tar
    except EOFError:
        raise ArchiveError(_TRUNCATED) from None
    except tarfile.ReadError as error:
        reason = f"The model archive is gzip, but holds no tar: {error}."
        raise ArchiveError(_TRUNCATED if "end of data" in str(error) else reason) from None
    except (gzip.BadGzipFile, zlib.error, tarfile.TarError) as error:
        raise ArchiveError(f"The model archive is damaged: {error}.") from None


def _read_to_end(tar: tarfile.TarFile) -> None:
    """Read what follows the last member: only then is it known that nothing is missing."""
    stream = tar.fileobj
    while stream is not None and stream.read(MIB):
        pass


def _check_member(member: tarfile.TarInfo) -> None:
    path = PurePosixPath(member.name)
    if path.is_absolute() or ".." in path.parts or "\\" in member.name:
        raise ArchiveError(
            f"The model archive's member {member.name!r} leads out of the model's folder; it is refused."
        )
    if member.issym() or member.islnk():
        raise ArchiveError(
            f"The model archive's member {member.name!r} is a link to {member.linkname!r}; links are refused."
        )
    if not (member.isfile() or member.isdir()):
        raise ArchiveError(f"The model archive's member {member.name!r} is neither a file nor a folder; it is refused.")


def _check_root(files: list[PurePosixPath]) -> None:
    """Refuse the common mistake: everything in one folder more than there should be."""
    extra = files[0].parts[0]
    inside = all(len(path.parts) > 1 and path.parts[0] == extra for path in files)
    if inside and extra != "code" and any(path.parts[1] in _AT_THE_ROOT for path in files):
        raise ArchiveError(
            f"The model archive has everything in the folder {extra!r}; its members must lie at the root "
            f"(`tar -czf model.tar.gz -C {extra} .`)."
        )
