"""Where moto keeps an object's bytes: in files, from the upload to the download, where they are large.

moto's own objects take and give their bytes in one piece. What is large is given to them, and taken from them, as
`FileBytes`, which they only measure, cut and pass on.
"""

from __future__ import annotations

import io
import threading
from typing import TYPE_CHECKING, Any

from moto.s3.models import FakeKey
from moto.s3.responses import S3Response

from modelwright.local.store.file_bytes import SMALL_BYTES, FileBytes, FilePart

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from modelwright.local.store.objects import ObjectStore

_PASSED_ON = frozenset({"CopyObject", "GetObject", "UploadPartCopy"})
"""operations for which moto takes an object's bytes only to pass them on; for any other they are read"""


class StoredBuffer(io.RawIOBase):
    """Where moto reads an object's bytes: the file is opened when it is read, and not held open."""

    def __init__(self, objects: ObjectStore, sha256: str) -> None:
        super().__init__()
        self.sha256 = sha256
        self._objects = objects
        self._position = 0

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move; from the beginning only, as moto does."""
        if whence != io.SEEK_SET:
            raise io.UnsupportedOperation("seek from elsewhere than the beginning")
        self._position = offset
        return offset

    def read(self, size: int | None = -1) -> bytes:
        """Read from where the last read ended."""
        with self._objects.open(self.sha256) as file:
            file.seek(self._position)
            block = file.read(-1 if size is None else size)
        self._position += len(block)
        return block

    def readable(self) -> bool:
        """True."""
        return True

    def whole(self, size: int) -> FilePart:
        """All of it; StateUnusable when it is gone."""
        self._objects.open(self.sha256).close()
        return FilePart(self._objects.path(self.sha256), 0, size, sha256=self.sha256)


class FileBuffer(io.RawIOBase):
    """The bytes of a part of an upload, or of an object that is not written down yet."""

    def __init__(self, part: FilePart) -> None:
        super().__init__()
        self.part = part
        self._position = 0
        if part.incoming is not None:
            part.incoming.claim()

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move; from the beginning only, as moto does."""
        if whence != io.SEEK_SET:
            raise io.UnsupportedOperation("seek from elsewhere than the beginning")
        self._position = offset
        return offset

    def read(self, size: int | None = -1) -> bytes:
        """Read from where the last read ended."""
        block = self.part.read(self._position, -1 if size is None else size)
        self._position += len(block)
        return block

    def readable(self) -> bool:
        """True."""
        return True

    def close(self) -> None:
        """Nobody needs it any more."""
        if not self.closed and self.part.incoming is not None:
            self.part.incoming.discard()
        super().close()


class _Turn(threading.local):
    """What this thread's call of moto's S3 is."""

    operation = ""
    objects: ObjectStore | None = None


_turn = _Turn()


def begin(operation: str, objects: ObjectStore) -> None:
    """Say which operation this thread asks moto for next."""
    _turn.operation, _turn.objects = operation, objects


def objects_of_turn() -> ObjectStore:
    """The store of the cloud whose call it is."""
    if _turn.objects is None:
        raise RuntimeError("moto's S3 was not asked through the gateway")
    return _turn.objects


def on_their_way(versions: Iterable[Any]) -> list[str]:
    """The hashes of those versions whose bytes are to be taken into the object store."""
    buffers = [getattr(each, "_value_buffer", None) for each in versions]
    parts = [each.part for each in buffers if isinstance(each, FileBuffer)]
    return [part.incoming.sha256 for part in parts if part.incoming is not None]


def _get(plain: Callable[[FakeKey], bytes]) -> Callable[[FakeKey], bytes]:
    def value(self: FakeKey) -> bytes:
        buffer = self._value_buffer
        if _turn.operation in _PASSED_ON and self.contentsize >= SMALL_BYTES and isinstance(buffer, StoredBuffer):
            return FileBytes(buffer.whole(self.contentsize))
        return plain(self)

    return value


def _set(plain: Callable[[FakeKey, bytes], None]) -> Callable[[FakeKey, bytes], None]:
    def value(self: FakeKey, new: bytes) -> None:
        if not isinstance(new, FileBytes):
            plain(self, new)
            return
        part = new.part
        self._value_buffer.close()
        self._value_buffer = StoredBuffer(objects_of_turn(), part.sha256) if part.sha256 else FileBuffer(part)
        self.contentsize = part.size
        if self._etag is None and part.incoming is not None:
            self._etag = part.incoming.md5

    return value


def _unless_in_file(plain: Callable[..., bytes]) -> Callable[..., bytes]:
    """Moto takes the framing off a body; one in a file has none any more."""

    def decoded(self: S3Response, body: Any, *more: Any) -> bytes:
        return body if isinstance(body, FileBytes) else plain(self, body, *more)

    return decoded


FakeKey.value = property(_get(FakeKey.value.fget), _set(FakeKey.value.fset))
S3Response._handle_encoded_body = _unless_in_file(S3Response._handle_encoded_body)  # noqa: SLF001
S3Response._handle_v4_chunk_signatures = _unless_in_file(S3Response._handle_v4_chunk_signatures)  # noqa: SLF001
