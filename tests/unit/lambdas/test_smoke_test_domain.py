from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smoke_test.domain import SmokeTestFailed, check_answer, predictions_found, rows_asked

CSV = b"species,island,mass\nAdelie,Biscoe,3700\nGentoo,Dream,5000\n"
REQUEST = {"content_type": "text/csv", "accept": "application/json"}


def check(answer: bytes, kind: str = "application/json", body: bytes = CSV) -> dict[str, object]:
    return check_answer(REQUEST, body, answer, kind)


@pytest.mark.parametrize(
    ("body", "kind", "rows"),
    [
        (CSV, "text/csv", 2),
        (CSV.split(b"\n", 1)[1], "text/csv; charset=utf-8", 2),
        (b"\xef\xbb\xbf" + CSV.replace(b"\n", b"\r\n"), "text/csv", 2),
        (b"1,2,3", "text/csv", 1),
        (b'"a\nb",1\n', "text/csv", 1),
        (b"\n\n", "text/csv", 0),
        (b"[[1, 2], [3, 4]]", "application/json", 2),
        (b'{"instances": [1, 2, 3]}', "application/json", 3),
        (b'{"species": "Adelie"}', "application/json", None),
        (b'{"a": 1}\n{"a": 2}\n', "application/jsonlines", 2),
        (b"\x93NUMPY", "application/x-npy", None),
    ],
)
def test_how_many_rows_are_asked_for(body: bytes, kind: str, rows: int | None) -> None:
    assert rows_asked(body, kind) == rows


@pytest.mark.parametrize(
    ("body", "kind", "count"),
    [
        (b'["male", "female"]', "application/json", 2),
        (b'{"predictions": [1, 2]}', "application/json", 2),
        (b'{"label": ["a", "b"], "score": [1, 2], "model": "x"}', "application/json", 2),
        (b'"male"', "application/json", 1),
        (b"male\nfemale\n", "text/csv", 2),
        (b"sex,score\nmale,0.5\n", "text/csv", 1),
        (b"{}\n{}\n", "application/jsonlines", 2),
        (b"\x93NUMPY", "application/x-npy", None),
    ],
)
def test_how_many_predictions_an_answer_has(body: bytes, kind: str, count: int | None) -> None:
    assert predictions_found(body, kind) == count


def test_a_good_answer_passes() -> None:
    seen = check(b'["male", "female"]', "application/json; charset=utf-8")
    assert seen == {"rows": 2, "predictions": 2, "contentType": "application/json; charset=utf-8"}


@pytest.mark.parametrize(
    ("answer", "kind", "message"),
    [
        (b"", "application/json", "the answer is empty"),
        (b"male\n", "text/csv", "the answer is 'text/csv'; 'application/json' was asked for"),
        (b"[1", "application/json", "the answer is no JSON"),
        (b"[NaN, 1]", "application/json", "the answer holds NaN"),
        (b"[1]", "application/json", "the answer has 1 predictions for 2 rows"),
        (b'{"a": [1], "b": [1, 2]}', "application/json", "different lengths"),
        (b"\xff\xff", "application/json", "the answer is no"),
    ],
)
def test_each_bad_answer_says_what_is_bad(answer: bytes, kind: str, message: str) -> None:
    with pytest.raises(SmokeTestFailed, match=message):
        check(answer, kind)


def test_a_smoke_test_that_is_no_json_is_told_from_a_bad_answer() -> None:
    request = {"content_type": "application/json", "accept": "application/json"}
    with pytest.raises(SmokeTestFailed, match="the release's smoke test is no application/json"):
        check_answer(request, b"{", b"[1]", "application/json")


def test_any_kind_of_answer_is_fine_when_none_was_asked_for() -> None:
    request = {"content_type": "text/csv", "accept": "*/*"}
    assert check_answer(request, CSV, b"1\n2\n", "text/csv")["predictions"] == 2


@given(st.binary(min_size=1, max_size=60), st.sampled_from(["application/json", "text/csv", "application/x-npy"]))
def test_any_answer_passes_or_fails_with_our_error(answer: bytes, kind: str) -> None:
    request = {"content_type": "text/csv", "accept": kind}
    try:
        check_answer(request, CSV, answer, kind)
    except SmokeTestFailed:
        return


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20))
def test_as_many_predictions_as_rows_pass(values: list[float]) -> None:
    body = "\n".join(str(value) for value in values).encode()
    assert check(json.dumps(values).encode(), body=body)["predictions"] == len(values)
