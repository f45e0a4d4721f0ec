"""A file that comes in block by block, hashed as it comes; it is gone unless the object store takes it."""

from __future__ import annotations

import hashlib
import os
import weakref
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class IncomingFile:
    """One file that is written once, from its beginning, by one thread.

    It is removed by `discard`, when nothing refers to it any more, and by the next start after a crash
    (`ObjectStore` empties the folder that it lies in).
    """

    def __init__(self, path: Path) -> None:
        """Make the file, which must not be there."""
        self.path = path
        self.size = 0
        self._synced = self._claimed = False
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._sha256 = hashlib.sha256()
        self._file = path.open("xb", buffering=0)
        self._remove = weakref.finalize(self, path.unlink, missing_ok=True)

    def write(self, block: bytes) -> None:
        """Append a block."""
        self._md5.update(block)
        self._sha256.update(block)
        left = memoryview(block)
        while left:
            left = left[self._file.write(left) :]
        self.size += len(block)

    def close(self) -> None:
        """Nothing will be written any more; the file stays."""
        self._file.close()

    def sync(self) -> None:
        """Return when all that was written is on the disk."""
        if not self._synced:
            descriptor = os.open(self.path, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            self._synced = True

    def claim(self) -> None:
        """Say that an object has it now: whoever received it does not remove it."""
        self._claimed = True

    def release(self) -> None:
        """Remove it, unless an object has it."""
        if not self._claimed:
            self.discard()

    def discard(self) -> None:
        """Remove it, unless the object store has taken it."""
        self._file.close()
        self._remove()

    @property
    def md5(self) -> str:
        """Of what was written, in hexadecimal digits."""
        return self._md5.hexdigest()

    @property
    def sha256(self) -> str:
        """Of what was written, in hexadecimal digits."""
        return self._sha256.hexdigest()
