"""A pipeline's folder as one `.tar.gz`, the same bytes for the same content, wherever and whenever it is made.

Left out, because they are no code or not the same for everybody:

- the data that `data.source` names (it is uploaded on its own, once);
- hidden files and folders (`.git`, `.ipynb_checkpoints`, `.env`), `__pycache__`, `*.pyc`;
- what git ignores, so that a clean folder gives the bundle that its commit gives.

A link is followed when it stays in the folder, and is an error when it leaves it.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from modelwright.errors import BundleError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

ARCHIVE = "code.tar.gz"
REQUIREMENTS = "requirements.txt"
MAX_BYTES = 50 * 1024 * 1024
MAX_FILES = 1000


@dataclass(frozen=True)
class Bundle:
    """What a job gets to run."""

    archive: bytes
    sha256: str
    """Of the archive."""
    files: Mapping[str, bytes]
    """The same content by path, with forward slashes, sorted."""

    @property
    def requirements(self) -> bool:
        """Whether a job has to install packages before its script, for which it needs a network."""
        return REQUIREMENTS in self.files


def make_bundle(folder: Path, *, leave_out: Collection[str] = ()) -> Bundle:
    """Return the bundle of `folder` without the paths in `leave_out`: files, or folders with all that they hold.

    `leave_out` is relative to the folder, with forward slashes. Raises `BundleError` for a folder that is empty or too
    large, and for a link that leaves it.
    """
    excluded = {path.rstrip("/") for path in leave_out}
    paths = sorted(_files(folder, "", excluded, (folder.resolve(),)), key=str.encode)
    if not paths:
        raise BundleError(f"{folder} has no file to bundle: it is empty, or git ignores what is in it.")
    _check_size(folder, paths)
    files = {path: (folder / path).read_bytes() for path in paths}
    archive = pack(files)
    return Bundle(archive, hashlib.sha256(archive).hexdigest(), files)


def pack(files: Mapping[str, bytes]) -> bytes:
    """Return a `.tar.gz` of `files` in their order: no time, no owner, no name of a machine in it."""
    packed = io.BytesIO()
    with (
        gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=packed, mtime=0) as stream,
        tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        for path, content in files.items():
            member = tarfile.TarInfo(path)  # mtime, uid and gid are 0, the names empty
            member.size, member.mode = len(content), 0o644
            tar.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def _files(folder: Path, inside: str, excluded: Collection[str], above: tuple[Path, ...]) -> Iterator[str]:
    """Yield the paths of the files to bundle, relative to the pipeline's folder; `above` are the folders on the way."""
    for entry in os.scandir(folder / inside):
        path = f"{inside}{entry.name}"
        if path in excluded or _is_left_out(entry.name):
            continue
        if entry.is_symlink():
            _check_link(path, Path(entry.path).resolve(), above)
        if entry.is_dir():
            yield from _files(folder, f"{path}/", excluded, (*above, Path(entry.path).resolve()))
        elif entry.is_file():
            yield _encodable(path)
        else:
            raise BundleError(f"{folder / path} is no file and no folder (a socket, a pipe, a broken link); remove it.")


def _is_left_out(name: str) -> bool:
    return name.startswith(".") or name == "__pycache__" or name.endswith(".pyc")


def _check_link(path: str, target: Path, above: tuple[Path, ...]) -> None:
    """A link to elsewhere would take files of the machine along; one to a folder that it lies in would never end."""
    if not target.is_relative_to(above[0]):
        raise BundleError(
            f"{path} is a link to {target}, outside the pipeline's folder; copy the file into the folder."
        )
    if target in above:
        raise BundleError(f"{path} is a link to a folder that it lies in; remove it.")


def _encodable(path: str) -> str:
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        raise BundleError(f"The file name {path!r} is not UTF-8; rename it.") from None
    return path


def _check_size(folder: Path, paths: list[str]) -> None:
    if len(paths) > MAX_FILES:
        raise BundleError(
            f"{folder} has {len(paths)} files to bundle; at most {MAX_FILES} are possible.",
            "Name a data folder in `data.source`, or list what is no code in .gitignore.",
        )
    sizes = sorted(((folder / path).stat().st_size, path) for path in paths)
    total = sum(size for size, _ in sizes)
    if total > MAX_BYTES:
        largest = ", ".join(f"{path} ({size / 2**20:.1f} MiB)" for size, path in reversed(sizes[-3:]))
        raise BundleError(
            f"{folder} has {total / 2**20:.1f} MiB to bundle; at most {MAX_BYTES / 2**20:.0f} MiB are possible.",
            f"The largest files are {largest}. Name data in `data.source`, or list it in .gitignore.",
        )
