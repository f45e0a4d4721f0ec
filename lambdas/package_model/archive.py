"""Tar archives, byte-repeatable: the same members give the same bytes. Pure but for the files it is handed."""

from __future__ import annotations

import gzip
import io
import posixpath
import tarfile
import zlib
from typing import IO, TYPE_CHECKING

from shared.errors import PipelineError

if TYPE_CHECKING:
    from collections.abc import Iterator

CODE_FOLDER = "code/"
_CHUNK = 1024 * 1024
_COMPRESSION = 6


class ArchiveInvalid(PipelineError):
    """An archive that cannot become a model package."""


class ModelTooLarge(PipelineError):
    """A model beyond what this function can pack."""


def inflate(source: IO[bytes], target: IO[bytes], name: str, max_bytes: int) -> None:
    """Write the unpacked `.tar.gz` to `target`, in pieces; more than `max_bytes` is an error."""
    written = 0
    try:
        with gzip.GzipFile(fileobj=source, mode="rb") as unpacked:
            while piece := unpacked.read(_CHUNK):
                written += len(piece)
                if written > max_bytes:
                    raise ModelTooLarge(
                        f"{name} has more than {max_bytes} bytes unpacked; PackageModel packs at most that."
                    )
                target.write(piece)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ArchiveInvalid(f"{name} is no whole .tar.gz: {error}.") from error
    target.seek(0)


def members(archive: tarfile.TarFile, name: str) -> list[tuple[str, tarfile.TarInfo]]:
    """The files of an archive by their clean names. A link, a device or a way out of the archive is an error."""
    found: dict[str, tarfile.TarInfo] = {}
    for member in archive:
        if member.isdir():
            continue
        clean = posixpath.normpath(member.name)
        if not member.isfile():
            raise ArchiveInvalid(f"{name} holds {member.name!r}, which is no plain file; links are not supported.")
        if clean.startswith(("/", "../")) or clean in {".", ".."}:
            raise ArchiveInvalid(f"{name} holds {member.name!r}, which lies outside the archive.")
        found[clean] = member
    return sorted(found.items())


def open_tar(file: IO[bytes], name: str) -> tarfile.TarFile:
    """Open an unpacked archive."""
    try:
        return tarfile.open(fileobj=file, mode="r:")  # closed by the caller's `with`
    except tarfile.TarError as error:
        raise ArchiveInvalid(f"{name} is no tar archive: {error}.") from error


def combine(model: tarfile.TarFile, code: tarfile.TarFile, target: IO[bytes], names: tuple[str, str]) -> None:
    """Write the model's files and, under `code/`, the code's: sorted, without times, owners and modes of their own.

    A `code/` folder in the model's archive gives way to the release's code.
    """
    of_model = [(name, member) for name, member in members(model, names[0]) if not name.startswith(CODE_FOLDER)]
    if not of_model:
        raise ArchiveInvalid(f"{names[0]} holds no file; train.py must write the model into SM_MODEL_DIR.")
    of_code = members(code, names[1])
    if "inference.py" not in {name for name, _ in of_code}:
        raise ArchiveInvalid(f"{names[1]} has no inference.py; without it the model cannot be served.")
    with (
        gzip.GzipFile(filename="", fileobj=target, mode="wb", compresslevel=_COMPRESSION, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as out,
    ):
        for name, size, content in _contents(model, of_model, ""):
            out.addfile(_header(name, size), content)
        for name, size, content in _contents(code, of_code, CODE_FOLDER):
            out.addfile(_header(name, size), content)


def _contents(
    archive: tarfile.TarFile, found: list[tuple[str, tarfile.TarInfo]], folder: str
) -> Iterator[tuple[str, int, IO[bytes]]]:
    for name, member in found:
        yield folder + name, member.size, archive.extractfile(member) or io.BytesIO()


def _header(name: str, size: int) -> tarfile.TarInfo:
    header = tarfile.TarInfo(name)
    header.size, header.mode, header.mtime = size, 0o644, 0
    return header
