"""Payloads of whole lines, and answers joined with their records."""

from __future__ import annotations

import io
import json
import random

import pytest

from modelwright.local.sagemaker.transform import records as job_transform_records
from modelwright.local.sagemaker.transform.paths import parse
from modelwright.local.sagemaker.transform.records import Processing, RecordProblem, mini_batches

BODY = b"1,a\n22,b\n333,c\n4,d"


def split(body: bytes, most: int, *, single: bool = False) -> list[bytes]:
    return list(mini_batches(io.BytesIO(body), most, split=True, single=single))


def processing(given: str = "$", kept: str = "$", *, join: bool = False, is_csv: bool = True) -> Processing:
    return Processing(parse(given), parse(kept), join=join, is_csv=is_csv, assemble=True)


@pytest.mark.parametrize("most", range(6, 30))
def test_payloads_are_whole_lines_and_lose_nothing(most: int) -> None:
    found = split(BODY, most)
    assert b"".join(found) == BODY
    assert all(len(payload) <= most for payload in found)
    assert all(payload.endswith(b"\n") for payload in found[:-1])


def test_as_many_lines_as_fit_go_into_a_payload() -> None:
    assert split(BODY, 9) == [b"1,a\n22,b\n", b"333,c\n4,d"]


def test_single_records_are_one_line_each() -> None:
    assert split(BODY, 100, single=True) == [b"1,a\n", b"22,b\n", b"333,c\n", b"4,d"]


@pytest.mark.parametrize("single", [True, False])
def test_a_line_that_is_too_long_is_refused(single: bool) -> None:
    with pytest.raises(RecordProblem, match="MaxPayloadInMB"):
        split(b"1\n" + b"2" * 50 + b"\n", 20, single=single)


def test_without_a_split_an_object_is_one_payload() -> None:
    assert list(mini_batches(io.BytesIO(BODY), 100, split=False, single=False)) == [BODY]
    with pytest.raises(RecordProblem):
        list(mini_batches(io.BytesIO(BODY), 5, split=False, single=False))


def test_answers_are_joined_line_by_line() -> None:
    assert processing(join=True).to_keep(b"1,2\r\n3,4", b"x\ny\n") == b"1,2,x\n3,4,y\n"


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("size", [1, 7, 64, 1000])
def test_blocks_of_lines_keep_records_and_answers_together(
    monkeypatch: pytest.MonkeyPatch, seed: int, size: int
) -> None:
    monkeypatch.setattr(job_transform_records, "_JOINED_BYTES", size)
    rng = random.Random(seed)  # noqa: S311 - no secret
    before = ["x" * rng.randint(0, 12) for _ in range(200)] + ["end"]
    after = ["y" * rng.randint(0, 30) for _ in range(200)] + ["end"]
    found = processing(join=True).to_keep("\n".join(before).encode(), "\n".join(after).encode() + b"\n" * (seed % 2))
    wanted = "".join(f"{record},{answer}\n" for record, answer in zip(before, after, strict=True))
    assert found.decode() == wanted


def test_a_quoted_record_stays_as_it_is() -> None:
    assert processing(join=True).to_keep(b'"a,b",1\n', b"x\n") == b'"a,b",1,x\n'
    assert processing(kept="$[0,-1]", join=True).to_keep(b'"a,b",1\n', b"x\n") == b'"a,b",x\n'


def test_fewer_answers_than_records_cannot_be_joined() -> None:
    with pytest.raises(RecordProblem, match="mismatched line count"):
        processing(join=True).to_keep(b"1\n2\n", b"x\n")


def test_an_index_outside_of_a_record_is_told() -> None:
    with pytest.raises(RecordProblem, match="outside of a record of 2 values"):
        processing("$[5]").to_send(b"1,2\n")


def test_json_records_get_an_attribute() -> None:
    joined = processing(join=True, is_csv=False).to_keep(b'{"id": 1}\n', b'{"sum": 2}')
    assert json.loads(joined) == {"id": 1, "SageMakerOutput": {"sum": 2}}
    joined = processing(join=True, is_csv=False).to_keep(b"[1]\n", b"2")
    assert json.loads(joined) == {"SageMakerInput": [1], "SageMakerOutput": 2}
    kept = processing(kept="$.SageMakerOutput", join=True, is_csv=False).to_keep(b'{"id": 1}\n', b'{"sum": 2}')
    assert kept == b'{"sum":2}\n'
