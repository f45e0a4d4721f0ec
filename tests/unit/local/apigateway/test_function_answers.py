"""What a function of a proxy integration answers becomes an HTTP answer, or is none: then the API says 502."""

import json

import pytest

from modelwright.local.apigateway.replies import read_answer


@pytest.mark.parametrize(
    "answer",
    [
        None,
        [],
        "text",
        {"statusCode": "soon"},
        {"statusCode": None},
        {"statusCode": 200, "headers": ["Content-Type"]},
        {"statusCode": 200, "headers": "text/plain"},
        {"statusCode": 200, "body": {"a": 1}},
        {"statusCode": 200, "more": 1},
        {"statusCode": 200, "multiValueHeaders": {"A": "1"}},
        {"statusCode": 200, "multiValueHeaders": {"A": [1, {}]}},
        {"statusCode": 200, "multiValueHeaders": ["A"]},
    ],
)
def test_what_is_no_answer(answer):
    assert read_answer(json.dumps(answer).encode()) is None


def test_what_is_not_json_is_no_answer():
    assert read_answer(b"\xff{") is None


def test_an_answer():
    found = read_answer(b'{"statusCode": "201", "headers": null, "body": "\\ud800x"}')
    assert (found.status, found.headers, found.body) == (201, [("Content-Type", "application/json")], b"?x")
