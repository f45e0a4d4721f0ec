"""Tar archives, byte-repeatable: the same members give the same bytes. Pure but for the files it is handed."""

from __future__ import annotations

import gzip
import hashlib
import io
import posixpath
import re
import tarfile
import zlib
from typing import IO, TYPE_CHECKING

from shared.errors import PipelineError

if TYPE_CHECKING:
    from collections.abc import Iterator

CODE_FOLDER = "code/"
_CHUNK = 1024 * 1024
_COMPRESSION = 6
MOST_MODELS = 100
"""Their names travel through the state machine, and each is asked before the new models serve."""
_MODEL_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


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


def read_small(archive: tarfile.TarFile, name: str, max_bytes: int) -> bytes | None:
    """A file at the archive's root; None when there is none, or when it is larger than it may be."""
    for clean, member in members(archive, name):
        if clean == name and member.size <= max_bytes:
            content = archive.extractfile(member)
            return content.read() if content else None
    return None


def model_names(model: tarfile.TarFile, name: str) -> list[str]:
    """Return the models in an archive that holds several: each is a folder, and nothing lies beside them.

    The caller names one as `<folder>.tar.gz`: https://docs.aws.amazon.com/sagemaker/latest/dg/invoke-multi-model-endpoint.html
    """
    paths = [path for path, _ in members(model, name) if not path.startswith(CODE_FOLDER)]
    beside = [path for path in paths if "/" not in path]
    found = sorted({path.partition("/")[0] for path in paths} - set(beside))
    wrong = [folder for folder in found if not _MODEL_NAME.fullmatch(folder)]
    if beside or not found:
        what = f"holds {', '.join(beside[:5])} beside its folders" if beside else "holds no folder"
        raise ArchiveInvalid(f"{name} {what}; train.py must write each model into a folder of its own in SM_MODEL_DIR.")
    if wrong or len(found) > MOST_MODELS:
        what = f"is named {wrong[0]!r}" if wrong else f"is one of {len(found)}"
        raise ArchiveInvalid(
            f"a model in {name} {what}; at most {MOST_MODELS} are possible, with names of at most 63 letters, digits, "
            "dots, hyphens and underscores."
        )
    return found


def combine(
    model: tarfile.TarFile, code: tarfile.TarFile, target: IO[bytes], names: tuple[str, str], folder: str = ""
) -> str:
    """Write the model's files and, under `code/`, the code's: sorted, without times, owners and modes of their own.

    Return the SHA-256 of all of them, as a server finds it in the unpacked archive (`modelwright/serving/files.py`).
    A `code/` folder in the model's archive gives way to the release's code. With a `folder` (`<model>/`), only its
    files are the model's.
    """
    of_model = [
        (name.removeprefix(folder), member)
        for name, member in members(model, names[0])
        if name.startswith(folder) and not name.removeprefix(folder).startswith(CODE_FOLDER)
    ]
    if not of_model:
        raise ArchiveInvalid(f"{names[0]} holds no file; train.py must write the model into SM_MODEL_DIR.")
    of_code = members(code, names[1])
    if "inference.py" not in {name for name, _ in of_code}:
        raise ArchiveInvalid(f"{names[1]} has no inference.py; without it the model cannot be served.")
    with (
        gzip.GzipFile(filename="", fileobj=target, mode="wb", compresslevel=_COMPRESSION, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as out,
    ):
        hashes = dict(_write(out, _contents(model, of_model, "")))
        hashes |= _write(out, _contents(code, of_code, CODE_FOLDER))
    return _together(hashes)


class _Hashing(io.RawIOBase):
    """A file whose SHA-256 is known when it has been read."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        """Read on."""
        piece = self._file.read(size)
        self.digest.update(piece)
        return piece


def _write(out: tarfile.TarFile, contents: Iterator[tuple[str, int, IO[bytes]]]) -> dict[bytes, str]:
    """Write the files, and return the SHA-256 of each."""
    hashes = {}
    for name, size, content in contents:
        hashing = _Hashing(content)
        out.addfile(_header(name, size), hashing)
        hashes[name.encode("utf-8", "surrogateescape")] = hashing.digest.hexdigest()
    return hashes


def _together(hashes: dict[bytes, str]) -> str:
    digest = hashlib.sha256()
    for name in sorted(hashes):
        digest.update(hashes[name].encode() + b" " + name + b"\n")
    return digest.hexdigest()


def _contents(
    archive: tarfile.TarFile, found: list[tuple[str, tarfile.TarInfo]], folder: str
) -> Iterator[tuple[str, int, IO[bytes]]]:
    for name, member in found:
        yield folder + name, member.size, archive.extractfile(member) or io.BytesIO()


def _header(name: str, size: int) -> tarfile.TarInfo:
    header = tarfile.TarInfo(name)
    header.size, header.mode, header.mtime = size, 0o644, 0
    return header
