"""S3's checksums of what comes block by block, as moto computes them of what is in memory."""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable


class Checksum(Protocol):
    """A running checksum."""

    def update(self, block: bytes, /) -> None:
        """Add a block."""

    def digest(self) -> bytes:
        """The checksum of all that was added."""


class _Running:
    """A checksum that is a number, computed with its last value."""

    def __init__(self, function: Callable[[bytes, int], int], size: int) -> None:
        self._function, self._size, self._value = function, size, 0

    def update(self, block: bytes, /) -> None:
        self._value = self._function(block, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(self._size, "big")


def checksum(algorithm: str) -> Checksum:
    """Begin one; what moto cannot compute without a library that is not there is CRC32, as with moto."""
    if algorithm == "SHA1":
        return hashlib.sha1(usedforsecurity=False)
    if algorithm == "CRC32C":
        return _crc32c()
    if algorithm == "CRC64NVME":
        return _crc64nvme()
    return _Running(binascii.crc32, 4) if algorithm == "CRC32" else hashlib.sha256()


def encoded(value: Checksum) -> str:
    """As S3 writes it."""
    return base64.b64encode(value.digest()).decode("ascii")


def computable(algorithm: str) -> bool:
    """True when `checksum` is the algorithm's own, not what stands in for it."""
    if algorithm == "CRC32C":
        return _found("crc32c") is not None
    if algorithm == "CRC64NVME":
        return _found("awscrt.checksums") is not None
    return algorithm in {"CRC32", "SHA1", "SHA256"}


def _crc32c() -> Checksum:
    library = _found("crc32c")
    return _Running(binascii.crc32 if library is None else library.crc32c, 4)


def _crc64nvme() -> Checksum:
    library = _found("awscrt.checksums")
    return _Running(binascii.crc32, 4) if library is None else _Running(library.crc64nvme, 8)


def _found(name: str) -> Any:
    import importlib  # noqa: PLC0415  # an extra that may be there

    try:
        return importlib.import_module(name)
    except ImportError:
        return None
