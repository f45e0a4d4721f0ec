"""Checksums and framing of what comes block by block."""

from __future__ import annotations

import io

import pytest
from moto.s3.utils import compute_checksum

from modelwright.local.calls.bodies import BadRequestError, read_blocks
from modelwright.local.calls.checksums import checksum, encoded
from modelwright.local.calls.chunked import BlockStream, Unchunked
from modelwright.local.service import AwsError
from modelwright.local.store.file_bytes import FileBytes, FilePart


@pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"])
def test_a_running_checksum_is_motos_of_the_whole(algorithm: str) -> None:
    running = checksum(algorithm)
    for block in (b"a", b"", b"bc" * 1000):
        running.update(block)
    assert encoded(running) == compute_checksum(b"a" + b"bc" * 1000, algorithm).decode()


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_the_framing_is_taken_off_however_the_blocks_lie(size: int) -> None:
    body = b"5;chunk-signature=0\r\nhe\r\no\r\n3\r\nyou\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n"
    blocks = iter([body[start : start + size] for start in range(0, len(body), size)])
    found = Unchunked(io.BufferedReader(BlockStream(blocks), 64))
    assert b"".join(found.blocks()) == b"he\r\noyou"
    assert found.trailers == {"x-amz-checksum-crc32": "AAAAAA=="}


@pytest.mark.parametrize("body", [b"", b"\r\n", b"-1\r\n", b"5\r\nhell", b"2\r\nhello\r\n0\r\n", b"1\r\na\r\n"])
def test_a_framing_that_does_not_hold_is_refused(body: bytes) -> None:
    with pytest.raises(AwsError, match="not aws-chunked as its headers say"):
        list(Unchunked(io.BufferedReader(BlockStream(iter([body])), 64)).blocks())


def test_a_body_is_read_to_its_length() -> None:
    stream = io.BytesIO(b"helloPUT")
    assert list(read_blocks(stream, {"content-length": "5"})) == [b"hello"]
    assert stream.read() == b"PUT"
    assert list(read_blocks(io.BytesIO(b"2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"), {"transfer-encoding": "chunked"})) == [
        b"he",
        b"llo",
    ]
    for headers, body in (
        ({"content-length": "5"}, b"hell"),
        ({"content-length": "-5"}, b"hello"),
        ({"transfer-encoding": "chunked"}, b"-1\r\nhello"),
        ({"transfer-encoding": "chunked"}, b"5\r\nhell"),
    ):
        with pytest.raises(BadRequestError):
            list(read_blocks(io.BytesIO(body), headers))


def test_bytes_in_a_file_are_measured_and_cut_and_not_looked_into(tmp_path) -> None:
    (tmp_path / "f").write_bytes(b"0123456789")
    all_of_it = FileBytes(FilePart(tmp_path / "f", 2, 6))
    assert (len(all_of_it), bool(all_of_it), all_of_it.part.read()) == (6, True, b"234567")
    assert all_of_it[1:3].part.read() == b"34"
    assert all_of_it[-2:].part.read() == b"67"
    assert all_of_it[1:][1:100].part.read() == b"4567"
    assert (len(all_of_it[5:2]), b"".join(all_of_it[3:].part.blocks())) == (0, b"567")
    for look in (all_of_it.decode, lambda: list(all_of_it), lambda: all_of_it[0]):
        with pytest.raises(TypeError):
            look()
