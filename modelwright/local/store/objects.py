"""Content-addressed files: a file's name is the SHA-256 of what is in it, so it never changes once it is there."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, BinaryIO

from modelwright.errors import StateUnusable
from modelwright.local.store.incoming import IncomingFile

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_BLOCK_BYTES = 1 << 20


class ObjectStore:
    """Files under `directory/<2 hex>/<62 hex>`, written to a temporary name, synced, and renamed: whole or not there.

    They are read-only, since jobs may see them by a link.
    """

    def __init__(self, directory: Path) -> None:
        """Make the folder; files of writes that a crash cut off are removed."""
        self.directory = directory
        self._incoming = directory / "incoming"
        with _clear_errors(directory):
            self._incoming.mkdir(parents=True, exist_ok=True)
            for left in self._incoming.iterdir():
                left.unlink()

    def put(self, content: bytes | Path) -> str:
        """Keep these bytes, or what the file holds (read once, not linked: others may write to it); their SHA-256."""
        if isinstance(content, bytes):
            return self.put_blocks([content])
        with content.open("rb") as source:
            return self.put_file(source)

    def put_file(self, source: BinaryIO) -> str:
        """Keep what an open file holds from its position on, read block by block; its SHA-256."""
        return self.put_blocks(iter(lambda: source.read(_BLOCK_BYTES), b""))

    def put_blocks(self, blocks: Iterable[bytes]) -> str:
        """Keep these blocks, joined; their SHA-256."""
        temporary = self._incoming / secrets.token_hex(8)
        digest = hashlib.sha256()
        with _clear_errors(self.directory), _removed_on_error(temporary):
            with temporary.open("xb") as target:
                for block in blocks:
                    digest.update(block)
                    target.write(block)
                target.flush()
                os.fsync(target.fileno())
            self._take(temporary, digest.hexdigest())
        return digest.hexdigest()

    def adopt(self, file: Path, sha256: str | None = None) -> str:
        """Take a finished file that nobody writes to any more: moved when on the same disk, else copied.

        With `sha256`, whoever wrote it has computed that already.
        """
        digest = sha256
        if digest is None:
            with file.open("rb") as source:
                digest = hashlib.file_digest(source, "sha256").hexdigest()
        temporary = self._incoming / secrets.token_hex(8)
        with _clear_errors(self.directory), _removed_on_error(temporary):
            shutil.move(file, temporary)
            _sync(temporary)
            self._take(temporary, digest)
        return digest

    def incoming(self) -> IncomingFile:
        """Begin a file that comes in: taken at its end (`take`) or gone."""
        with _clear_errors(self.directory):
            return IncomingFile(self._incoming / secrets.token_hex(8))

    def receive(self, file: IncomingFile, blocks: Iterable[bytes]) -> None:
        """Append what comes in; StateUnusable when there is no space."""
        for block in blocks:
            with _clear_errors(self.directory):
                file.write(block)

    def take(self, file: IncomingFile) -> str:
        """Keep a file that came in, whole: its SHA-256."""
        with _clear_errors(self.directory):
            file.sync()
            self._take(file.path, file.sha256)
        return file.sha256

    def path(self, sha256: str) -> Path:
        """Where the file of this hash is, or would be."""
        return self.directory / sha256[:2] / sha256[2:]

    def open(self, sha256: str) -> BinaryIO:
        """Open a file for reading; StateUnusable when it is gone."""
        try:
            return self.path(sha256).open("rb")
        except FileNotFoundError as error:
            raise StateUnusable(f"{self.path(sha256)} is missing: the content of a stored object is lost.") from error

    def read(self, sha256: str) -> bytes:
        """Return a file's content."""
        with self.open(sha256) as source:
            return source.read()

    def has(self, sha256: str) -> bool:
        """True when the file is there."""
        return self.path(sha256).is_file()

    def delete(self, sha256: str) -> None:
        """Remove a file; nothing happens when it is gone already."""
        self.path(sha256).unlink(missing_ok=True)

    def hashes(self) -> list[str]:
        """All that is kept, in order."""
        folders = (folder for folder in self.directory.iterdir() if len(folder.name) == 2)
        return sorted(folder.name + file.name for folder in folders for file in folder.iterdir())

    def _take(self, temporary: Path, sha256: str) -> None:
        """Give a finished, synced file its name; the first one of two equal ones stays."""
        target = self.path(sha256)
        if target.exists():
            temporary.unlink()
            return
        temporary.chmod(0o444)
        target.parent.mkdir(exist_ok=True)
        temporary.replace(target)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _removed_on_error(path: Path) -> Iterator[None]:
    try:
        yield
    except BaseException:
        with suppress(OSError):
            path.unlink(missing_ok=True)
        raise


@contextmanager
def _clear_errors(directory: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StateUnusable(
            f"{directory} cannot be written: {error.strerror or error}.",
            "Free some space there, or make it writable; nothing that was written before is lost.",
        ) from error
