"""CompleteMultipartUpload: the parts become one file, block by block."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from moto.s3.exceptions import EntityTooSmall, InvalidPart, MalformedXML
from moto.s3.models import FakeMultipart
from moto.settings import S3_UPLOAD_PART_MIN_SIZE

from modelwright.local.calls.checksums import checksum, encoded
from modelwright.local.persistence.s3_bytes import FileBuffer, StoredBuffer, objects_of_turn
from modelwright.local.store.file_bytes import BLOCK_BYTES, FileBytes, FilePart

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from moto.s3.models import FakeKey

    from modelwright.local.calls.checksums import Checksum

    Joined = tuple[bytes, str, tuple[str, str, int] | None]


class _Whole:
    """The checksum of the object: of all its bytes, or of the parts' checksums."""

    def __init__(self, metadata: Any) -> None:
        self._algorithm = metadata.get("x-amz-checksum-algorithm") or "CRC64NVME"
        full = "FULL_OBJECT" if self._algorithm == "CRC64NVME" else "COMPOSITE"
        self._type = metadata.get("x-amz-checksum-type") or full
        self._value = checksum(self._algorithm)
        self._parts = 0

    def of_part(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        """Pass a part on."""
        composite = self._type == "COMPOSITE"
        running: Checksum = checksum(self._algorithm) if composite else self._value
        for block in blocks:
            running.update(block)
            yield block
        if composite:
            self._value.update(running.digest())
        self._parts += 1

    def told(self) -> tuple[str, str, int]:
        """As moto tells it."""
        return self._type, encoded(self._value), self._parts if self._type == "COMPOSITE" else 1


def _listed(parts: dict[int, FakeKey], body: Iterable[tuple[int, str]]) -> list[FakeKey]:
    """The parts that the request lists, checked as moto checks them."""
    listed: list[FakeKey] = []
    for number, etag in body:
        part = parts.get(number)
        if part is None or part.etag.strip('"') != etag.replace('"', ""):
            raise InvalidPart
        if listed and listed[-1].contentsize < S3_UPLOAD_PART_MIN_SIZE:
            raise EntityTooSmall
        listed.append(part)
    if not listed:
        raise MalformedXML
    return listed


def _blocks(part: FakeKey) -> Iterator[bytes]:
    buffer = part._value_buffer  # noqa: SLF001  # the one place where moto keeps a part's bytes
    buffer.seek(0)
    while block := buffer.read(BLOCK_BYTES):
        yield block


def _joined(parts: list[FakeKey], metadata: Any) -> Joined:
    objects = objects_of_turn()
    file = objects.incoming()
    whole = _Whole(metadata)
    etags = hashlib.md5(usedforsecurity=False)
    try:
        for part in parts:
            objects.receive(file, whole.of_part(_blocks(part)))
            etags.update(bytes.fromhex(part.etag.strip('"')))
    except BaseException:
        file.discard()
        raise
    file.close()
    content = FileBytes(FilePart(file.path, 0, file.size, file))
    return content, f"{etags.hexdigest()}-{len(parts)}", whole.told()


def _complete(plain: Callable[..., Joined]) -> Callable[..., Joined]:
    def complete(self: FakeMultipart, body: Iterable[tuple[int, str]]) -> Joined:
        held = [part._value_buffer for part in self.parts.values()]  # noqa: SLF001
        if any(isinstance(each, (FileBuffer, StoredBuffer)) for each in held):
            return _joined(_listed(self.parts, body), self.metadata)
        return plain(self, body)

    return complete


FakeMultipart.complete = _complete(FakeMultipart.complete)
