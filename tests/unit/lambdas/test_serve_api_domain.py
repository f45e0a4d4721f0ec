"""The REST API's function without AWS: requests to rows, rows to the model, and what is said instead of predictions."""

from __future__ import annotations

import json
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from serve_api import domain, hook, openapi
from serve_api.refusal import Refusal
from serve_api.schema import Schema, SchemaUnreadable

DOCUMENT = {
    "version": 1,
    "columns": [
        {"name": "species", "type": "string", "missing": True, "categories": ["Adelie", "Gentoo"], "unknown": True},
        {"name": "island", "type": "string", "missing": False, "categories": ["Biscoe", "Dream"], "unknown": False},
        {"name": "bill", "type": "number", "missing": True, "range": [32.1, 59.6]},
        {"name": "year", "type": "integer", "missing": False, "range": [2007, 2009]},
        {"name": "tagged", "type": "boolean", "missing": False},
    ],
    "outputs": {"form": "records", "labels": ["female", "male"], "label": "sex", "probabilities": "probability"},
}
SCHEMA = Schema.from_json(json.dumps(DOCUMENT).encode())
GOOD = {"species": "Adelie", "island": "Dream", "bill": 39.1, "year": 2008, "tagged": True}


def event(body: str | None, content_type: str | None = "application/json") -> dict[str, Any]:
    headers = {} if content_type is None else {"Content-Type": content_type}
    return {"headers": headers, "body": body, "isBase64Encoded": False}


def refusal(call: Any, *arguments: Any, **more: Any) -> Refusal:
    with pytest.raises(Refusal) as caught:
        call(*arguments, **more)
    return caught.value


@pytest.mark.parametrize("kind", ["application/json", "Application/JSON; charset=utf-8", None])
def test_rows_are_read_with_or_without_parameters_of_the_type(kind: str | None) -> None:
    assert domain.rows_of(event('\ufeff{"instances": [{"a": 1}]}', kind)) == [{"a": 1}]


@pytest.mark.parametrize(
    ("body", "kind", "status", "said"),
    [
        ('{"instances": [{}]}', "text/csv", 415, "The content type is 'text/csv'; this API takes application/json."),
        (None, "application/json", 400, "The body is empty."),
        ("  ", "application/json", 400, "The body is empty."),
        ('{"instances": [{"a"', "application/json", 400, "The body is not JSON: Expecting ':' delimiter"),
        ('{"instances": [{"a": NaN}]}', "application/json", 400, "NaN is no number of JSON; leave a missing value out"),
        ("[" * 100_000, "application/json", 400, "The body is JSON that is nested too deeply."),
        ("[]", "application/json", 400, "The body must be a JSON object with a list of rows"),
        ('{"instances": {}}', "application/json", 400, "The body must be a JSON object with a list of rows"),
        ('{"instances": []}', "application/json", 400, "There are no rows in instances."),
        ('{"instances": [{}, 3]}', "application/json", 400, "Row 2 of instances is no object."),
        ('{"instances": [{}], "x": 1}', "application/json", 400, "The body has x beside instances."),
    ],
)
def test_a_body_of_another_form_is_refused_with_the_right_one(body: str, kind: str, status: int, said: str) -> None:
    found = refusal(domain.rows_of, event(body, kind))
    assert (found.status, found.message[: len(said)]) == (status, said) or said in found.message


def test_all_that_is_wrong_is_said_at_once() -> None:
    rows = [
        GOOD,
        {"island": "Fiji", "bill": "wide", "year": 2008.5, "tagged": 1, "bil": 3},
        {**GOOD, "bill": 1e39, "year": None},
    ]
    found = refusal(domain.checked, rows, SCHEMA, after_hook=False)
    assert found.status == 400
    assert [str(problem) for problem in found.problems] == [
        "row 2: island is \"Fiji\"; it must be 'Biscoe' or 'Dream'",
        'row 2: bill is "wide"; it must be a number or missing',
        "row 2: year is 2008.5; it must be a whole number",
        "row 2: tagged is 1; it must be true or false",
        "row 2: there is no column bil; the columns are species, island, bill, year, tagged",
        "row 3: bill is 1e+39; it must be a number or missing",
        "row 3: year is missing; it must be a whole number",
    ]
    assert found.message == f"7 values are not what the model takes: {found.problems[0]}."
    body = found.body()
    assert body["problem_count"] == 7
    assert body["problems"][0] == {"row": 2, "column": "island", "message": str(found.problems[0])}


def test_many_wrong_rows_are_counted_and_not_all_shown() -> None:
    found = refusal(domain.checked, [{}] * 1000, SCHEMA, after_hook=False).body()
    assert (found["problem_count"], len(found["problems"])) == (3000, 100)


def test_the_model_gets_every_column_in_its_order() -> None:
    (row,) = domain.checked([{"tagged": False, "year": "2007", "island": "Biscoe"}], SCHEMA, after_hook=False)
    assert list(row.items()) == [
        ("species", None),
        ("island", "Biscoe"),
        ("bill", None),
        ("year", "2007"),
        ("tagged", False),
    ]


def test_without_a_schema_rows_go_to_the_model_as_they_are() -> None:
    assert domain.checked([{"x": 1}], None, after_hook=False) == [{"x": 1}]


def test_half_a_character_is_refused() -> None:
    rows = domain.rows_of(event('{"instances": [{"a": "\\ud800"}]}'))
    assert refusal(domain.model_request, rows).status == 400


def test_more_than_an_endpoint_takes_is_413() -> None:
    found = refusal(domain.model_request, [{"a": "x" * 6_300_000}])
    assert (found.status, found.error) == (413, "RequestTooLarge")


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        (b'{"predictions": [1]}', {"predictions": [1]}),
        (b"[1]", {"predictions": [1]}),
        (b'{"score": 1}', {"predictions": {"score": 1}}),
    ],
)
def test_answers_have_one_form(body: bytes, answer: dict[str, Any]) -> None:
    assert domain.answer_of(body, 1) == answer


@pytest.mark.parametrize("body", [b"<html>", b"[1, 2]", b"[NaN]", b'[{"p": -Infinity}]', b"[" * 100_000])
def test_an_answer_that_is_none_is_the_models_failure(body: bytes) -> None:
    assert refusal(domain.answer_of, body, 1).status == 502


@pytest.mark.parametrize(
    ("code", "response", "status", "said"),
    [
        ("ModelError", {"OriginalStatusCode": 400, "OriginalMessage": '{"message": "no"}'}, 400, "no"),
        (
            "ModelError",
            {"OriginalStatusCode": 500, "OriginalMessage": "boom"},
            502,
            "The model failed (500); the log of its endpoint says",
        ),
        ("ValidationError", {"Error": {"Message": "not found"}}, 503, "The endpoint of p does not serve."),
        ("ThrottlingException", {"Error": {"Message": "slow"}}, 503, "The endpoint of p cannot answer now"),
    ],
)
def test_what_sagemaker_says_becomes_a_status_and_a_sentence(
    code: str, response: dict[str, Any], status: int, said: str
) -> None:
    found = domain.refusal_of(code, response, "p")
    assert found is not None
    assert found.status == status
    assert found.message.startswith(said)


def test_what_only_the_operator_can_put_right_is_no_answer() -> None:
    assert domain.refusal_of("AccessDeniedException", {}, "p") is None


def test_an_answer_that_cannot_be_sent_says_so() -> None:
    found = domain.response(200, {"predictions": ["x" * 6_100_000]})
    assert found["statusCode"] == 413
    assert json.loads(found["body"])["error"] == "AnswerTooLarge"


def test_a_schema_of_another_version_is_no_schema() -> None:
    with pytest.raises(SchemaUnreadable, match="has version 2; this function reads 1"):
        Schema.from_json(b'{"version": 2}')
    with pytest.raises(SchemaUnreadable, match="cannot be read"):
        Schema.from_json(b"[]")


INTERNAL = "s3://bucket of account 123456789012 at https://runtime.internal/: /opt/ml/model/code/inference.py, line 3"


@pytest.mark.parametrize("code", ["ModelError", "ValidationError", "ThrottlingException", "ServiceUnavailable"])
def test_what_is_the_operators_is_in_the_log_and_not_in_the_answer(code: str) -> None:
    said = {"OriginalStatusCode": 500, "OriginalMessage": INTERNAL, "Error": {"Message": INTERNAL}}
    found = domain.refusal_of(code, said, "p")
    assert found is not None
    assert not {"123456789012", "internal", "/opt/ml"} & set(found.message.replace("/:", " ").split())
    assert INTERNAL not in json.dumps(found.body())
    assert code == "ModelError" or INTERNAL in found.detail  # what a model says may hold a caller's own text


def test_what_breaks_in_a_hook_is_not_told_to_the_caller() -> None:
    made = loaded(f"def preprocess(rows):\n    raise OSError({INTERNAL!r})\n")
    assert INTERNAL not in json.dumps(refusal(hook.apply, "hook.py", made, [{}]).body())


@pytest.mark.parametrize(
    ("body", "said"),
    [("eyJpbnN0YW5jZXMiOiBbe31dfQ==", None), ("%%%", "not base64"), ("eyJ", "not base64"), ("", "empty")],
)
def test_a_body_may_come_as_base64(body: str, said: str | None) -> None:
    sent = event(body) | {"isBase64Encoded": True}
    if said is None:
        assert domain.rows_of(sent) == [{}]
    else:
        found = refusal(domain.rows_of, sent)
        assert (found.status, said in found.message) == (400, True)


# the hook


def loaded(source: str) -> Any:
    return hook.load("hook.py", source.encode())


def test_a_hook_prepares_rows() -> None:
    made = loaded("def preprocess(rows):\n    return [{'a': row['x'] * 2} for row in rows]\n")
    assert hook.apply("hook.py", made, [{"x": 2}, {"x": 3}]) == [{"a": 4}, {"a": 6}]


def test_a_hook_does_not_change_what_was_sent() -> None:
    rows = [{"x": 1}]
    hook.apply("hook.py", loaded("def preprocess(rows):\n    rows[0].clear()\n    return rows\n"), rows)
    assert rows == [{"x": 1}]


@pytest.mark.parametrize(
    ("source", "status", "said"),
    [
        ("def preprocess(rows):\n    raise ValueError('no x')\n", 400, "The rows cannot be prepared: no x"),
        (
            "def preprocess(rows):\n    return rows[0]['x']\n",
            500,
            "The hook hook.py failed; the log of the API's function",
        ),
        ("def preprocess(rows):\n    raise SystemExit(0)\n", 500, "The hook hook.py failed; the log"),
        ("def preprocess(rows):\n    return None\n", 500, "returned NoneType; preprocess must return a list of dicts"),
        ("def preprocess(rows):\n    return []\n", 500, "made 0 rows of 1; each row must stay one"),
    ],
)
def test_what_a_hook_does_wrong_is_said(source: str, status: int, said: str) -> None:
    found = refusal(hook.apply, "hook.py", loaded(source), [{}])
    assert found.status == status
    assert said in found.message


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("import nothing_like_that", "cannot be loaded; the log of the API's function"),
        ("raise SystemExit(1)", "cannot be loaded; the log"),
        ("x = 1", "has no function preprocess(rows)"),
        ("def preprocess(", "cannot be loaded; the log of the API's function"),
    ],
)
def test_a_file_that_is_no_hook_is_said(source: str, said: str) -> None:
    found = refusal(loaded, source)
    assert found.status == 500
    assert said in found.message


# the document


@pytest.mark.parametrize(
    "schema", [SCHEMA, None, Schema(SCHEMA.columns, None, {})], ids=["whole", "none", "no outputs"]
)
@pytest.mark.parametrize("prepared", [True, False])
@pytest.mark.parametrize("authorization", ["iam", "api-key"])
def test_the_document_is_openapi(schema: Schema | None, *, prepared: bool, authorization: str) -> None:
    about = openapi.Api("penguins", "https://x.example/live", authorization, "0123456789ab", hook=prepared)
    document = json.loads(json.dumps(openapi.document(about, schema)))
    assert [error.message for error in OpenAPIV31SpecValidator(document).iter_errors()] == []
    assert document["servers"] == [{"url": "https://x.example/live"}]


def test_the_document_says_what_the_model_takes() -> None:
    about = openapi.Api("penguins", "https://x.example/live", "iam", "0123456789ab", hook=False)
    row = openapi.document(about, SCHEMA)["components"]["schemas"]["Row"]
    assert row["required"] == ["island", "year", "tagged"]
    assert row["properties"]["island"]["enum"] == ["Biscoe", "Dream"]
    assert "enum" not in row["properties"]["species"], "the model takes a text that training did not see"
    assert row["properties"]["bill"]["type"] == ["number", "null"]


def test_the_address_is_the_one_that_was_asked() -> None:
    context = {"domainName": "abc.execute-api.eu-central-1.amazonaws.com", "path": "/live/openapi.json"}
    asked = {"headers": {}, "requestContext": context, "resource": "/openapi.json"}
    assert domain.base_url(asked) == "https://abc.execute-api.eu-central-1.amazonaws.com/live"
