"""Bytes that lie in a file, for code that measures, slices and passes on what it takes for bytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from modelwright.local.store.incoming import IncomingFile

BLOCK_BYTES = 1 << 20
SMALL_BYTES = 1 << 20
"""what is smaller than this is held in memory, which is faster"""


@dataclass(frozen=True)
class FilePart:
    """So many bytes of a file that nobody writes to any more."""

    path: Path
    offset: int
    size: int
    incoming: IncomingFile | None = None
    """the file, where it is not in the object store yet: it is there for as long as this is"""
    sha256: str | None = None
    """the file's name in the object store, where this is all of it"""

    def read(self, position: int = 0, size: int = -1) -> bytes:
        """Read from a position in this part; to its end when no size is given."""
        left = max(self.size - position, 0)
        with self.path.open("rb") as file:
            file.seek(self.offset + position)
            return file.read(left if size < 0 else min(size, left))

    def blocks(self) -> Iterator[bytes]:
        """All of it, block by block."""
        for position in range(0, self.size, BLOCK_BYTES):
            yield self.read(position, BLOCK_BYTES)

    def cut(self, start: int, stop: int) -> FilePart:
        """A part of this part."""
        if (start, stop) == (0, self.size):
            return self
        return FilePart(self.path, self.offset + start, max(stop - start, 0), self.incoming)


class FileBytes(bytes):
    """Has the length and the slices of what lies in the file; itself it is empty.

    moto is handed it as a body and hands it to an object, or takes it from an object and hands it to an answer. What
    looks into it in another way would find nothing, so the ways that moto has are errors.
    """

    part: FilePart

    def __new__(cls, part: FilePart) -> FileBytes:  # noqa: PYI034  # nobody derives from it
        """Make one."""
        made = super().__new__(cls)
        made.part = part
        return made

    def __len__(self) -> int:
        return self.part.size

    def __bool__(self) -> bool:
        return self.part.size > 0

    def __getitem__(self, key: Any) -> Any:
        if not isinstance(key, slice) or key.step not in (None, 1):
            raise TypeError("bytes in a file are sliced only")
        start, stop, _ = key.indices(self.part.size)
        return FileBytes(self.part.cut(start, stop))

    def __iter__(self) -> Any:
        raise TypeError("bytes in a file are not looked at one by one")

    def decode(self, *_: Any, **__: Any) -> str:
        """TypeError: they are no text."""
        raise TypeError("bytes in a file are not decoded")

    __hash__ = None  # type: ignore[assignment]  # compared with nothing
