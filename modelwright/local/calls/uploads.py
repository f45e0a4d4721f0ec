"""The body of an upload to S3 goes to a file of the object store while it comes in, unless it is small.

Whether the caller may upload is decided when all is there, as for any call; what is refused is removed.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from modelwright.errors import ModelwrightError
from modelwright.local.calls.digests import Digests, Found, check_body
from modelwright.local.service import AwsError
from modelwright.local.store.file_bytes import SMALL_BYTES, FileBytes, FilePart

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from modelwright.local.store.incoming import IncomingFile
    from modelwright.local.store.objects import ObjectStore

_UPLOADS = frozenset({"partNumber", "uploadId", "x-id"})
"""what the query of PutObject and UploadPart may name; with another name it is another operation"""
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
"""content types whose bodies moto reads as a form"""
_TO_S3 = re.compile(r"Credential=[^,\s]+/s3/aws4_request")


@dataclass(frozen=True)
class Upload:
    """A body that came in. Whoever received it calls `release`."""

    headers: dict[str, str]
    """with the checksum that came after a large body"""
    body: bytes = b""
    """as it came, where it is small"""
    content: FileBytes | None = None
    """without its framing, where it is large"""
    problem: Exception | None = None
    """why it is not what the request said, for whoever may upload"""

    def sync(self) -> None:
        """Return when a large one is on the disk."""
        if self.content is not None and self.content.part.incoming is not None:
            self.content.part.incoming.sync()

    def release(self) -> None:
        """Remove the file, unless an object has it."""
        if self.content is not None and self.content.part.incoming is not None:
            self.content.part.incoming.release()


class Uploads:
    """Receives bodies into an object store."""

    def __init__(self, objects: ObjectStore) -> None:
        self._objects = objects

    def wants(self, method: str, target: str, headers: Mapping[str, str]) -> bool:
        """True for PutObject and UploadPart."""
        if method != "PUT" or _TO_S3.search(headers.get("authorization", "")) is None:
            return False
        path, _, query = target.partition("?")
        named = {name for name, _ in parse_qsl(query, keep_blank_values=True)}
        form = headers.get("content-type", "").startswith(_FORMS)
        of_a_key = bool(path.strip("/").partition("/")[2])
        return of_a_key and named <= _UPLOADS and "x-amz-copy-source" not in headers and not form

    def receive(self, headers: dict[str, str], blocks: Iterator[bytes]) -> Upload:
        """Read a body to its end: a small one into memory, another one into a file, without its framing."""
        begun: list[bytes] = []
        size = 0
        for block in blocks:
            begun.append(block)
            size += len(block)
            if size >= SMALL_BYTES:
                return self._large(headers, itertools.chain(begun, blocks))
        return _small(headers, b"".join(begun))

    def _large(self, headers: dict[str, str], blocks: Iterator[bytes]) -> Upload:
        file: IncomingFile | None = None
        try:
            file = self._objects.incoming()
            headers = self._fill(file, headers, blocks)
            content = FileBytes(FilePart(file.path, 0, file.size, file))
            return Upload(headers, content=content)
        except (AwsError, ModelwrightError) as error:
            _drop(file)
            for _ in blocks:  # what is left is read, or the client would not read the answer
                pass
            return Upload(headers, problem=error)
        except BaseException:
            _drop(file)
            raise

    def _fill(self, file: IncomingFile, headers: dict[str, str], blocks: Iterator[bytes]) -> dict[str, str]:
        digests = Digests(headers)
        self._objects.receive(file, digests.content(blocks))
        for _ in blocks:  # behind the end that its framing has
            pass
        file.close()
        digests.check(Found(file.size, file.md5, file.sha256))
        if not digests.asked:
            return headers
        return {**headers, f"x-amz-checksum-{digests.asked.lower()}": digests.value()}


def _small(headers: dict[str, str], body: bytes) -> Upload:
    try:
        check_body(headers, body)
    except AwsError as error:
        return Upload(headers, body, problem=error)
    return Upload(headers, body)


def _drop(file: IncomingFile | None) -> None:
    if file is not None:
        file.discard()
