"""The REST API's function reads schemas and judges rows as the model server does, whatever either of them holds."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from modelwright.serving.bodies.rows import from_json
from modelwright.serving.problems import RequestError
from modelwright.serving.schema import UNKNOWN_OUTPUTS, Column, Outputs, Schema
from serve_api import openapi
from serve_api.schema import NoSuchColumn
from serve_api.schema import Schema as ApiSchema

NAMES = ("a", "b", "c")
texts = st.sampled_from(["", "x", "y", "1", "1.5", " 2 ", "1_0", "\u0661", "true", "False", "nan", "inf", "1e40", "ü"])
values = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), texts, st.text(max_size=5), st.just(10**400), st.just([1])
)


@st.composite
def columns(draw: st.DrawFn, name: str) -> Column:
    kind = draw(st.sampled_from(["number", "integer", "string", "boolean"]))
    missing = draw(st.booleans())
    if kind == "string":
        categories = tuple(sorted(draw(st.sets(texts, max_size=3))))
        return Column(name, kind, missing, categories=categories, unknown=draw(st.booleans()))
    low, high = sorted(draw(st.tuples(st.integers(-5, 5), st.integers(-5, 5))))
    return Column(name, kind, missing, *draw(st.sampled_from([(low, high), (None, None)])))


outputs = st.sampled_from([UNKNOWN_OUTPUTS, Outputs(("n", "y"), "records", "l", "p"), Outputs((0, 1), "labels")])
schemas = st.builds(Schema, st.tuples(*map(columns, NAMES)), outputs)
rows = st.lists(st.dictionaries(st.sampled_from(NAMES), values), max_size=4)


@given(schemas, rows)
def test_both_find_the_same_and_say_it_with_the_same_words(schema: Schema, sent: list[dict[str, Any]]) -> None:
    ours = ApiSchema.from_json(schema.to_json().encode())
    assert [str(problem) for problem in ours.check(sent)] == [str(problem) for problem in schema.check(sent)]


@given(schemas, rows)
def test_what_passes_here_passes_there_as_it_is_sent_on(schema: Schema, sent: list[dict[str, Any]]) -> None:
    ours = ApiSchema.from_json(schema.to_json().encode())
    if not ours.check(sent):
        assert schema.check([ours.whole(row) for row in sent]) == []


@given(schemas, rows.filter(bool))
def test_the_compiled_model_takes_what_passes_and_nothing_else(schema: Schema, sent: list[dict[str, Any]]) -> None:
    ours = ApiSchema.from_json(schema.to_json().encode())
    whole = [ours.whole(row) for row in sent]
    try:
        body = json.dumps({"instances": whole}, allow_nan=False, ensure_ascii=False).encode()
    except (ValueError, UnicodeEncodeError):
        return  # NaN and half characters are refused before
    try:
        from_json(body, schema)
        taken = True
    except RequestError:
        taken = False
    assert taken == (ours.check(whole) == [])


@given(schemas, rows)
def test_what_the_document_allows_is_never_refused(schema: Schema, sent: list[dict[str, Any]]) -> None:
    ours = ApiSchema.from_json(schema.to_json().encode())
    about = openapi.Api("p", "https://x.example", "iam", "run", hook=False)
    described = Draft202012Validator(openapi.document(about, ours)["components"]["schemas"]["Row"])
    for row in sent:
        as_json = json.loads(json.dumps(row, default=str), parse_constant=lambda _: None)
        if described.is_valid(as_json):
            assert ours.check([as_json]) == []


@given(schemas)
def test_a_name_that_is_no_columns_is_found(schema: Schema) -> None:
    ours = ApiSchema.from_json(schema.to_json().encode())
    found = [problem for problem in ours.check([{"d": 1}]) if isinstance(problem, NoSuchColumn)]
    assert [problem.column for problem in found] == ["d"]


@given(schemas)
def test_the_document_is_handed_on_as_it_was_read(schema: Schema) -> None:
    assert ApiSchema.from_json(schema.to_json().encode()).document == json.loads(schema.to_json())
