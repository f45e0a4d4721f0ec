"""The schema: learnt from rows, written and read as one document, and held against rows."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelwright.serving.schema import Column, Outputs, Schema, SchemaError, learn

OUTPUTS = Outputs(("a", "b"), "records", "kind", "probability")
SCHEMA = Schema((Column("size", "number"), Column("place", "string", categories=("here", "there"))), OUTPUTS)


def test_types_ranges_and_categories_are_what_training_saw() -> None:
    rows = [
        {"n": "1.5", "whole": "3", "text": "b", "yes": "true", "extra": "x"},
        {"n": "-2", "whole": "-4", "text": "a", "yes": "false"},
        {"n": "NA", "whole": "5", "text": "b", "yes": ""},
    ]
    assert learn(rows, ["text", "n", "whole", "yes"]) == (
        Column("text", "string", categories=("a", "b")),
        Column("n", "number", missing=True, minimum=-2.0, maximum=1.5),
        Column("whole", "integer", minimum=-4.0, maximum=5.0),
        Column("yes", "boolean", missing=True),
    )


def test_a_column_with_one_text_among_numbers_is_of_texts() -> None:
    assert learn([{"a": "1"}, {"a": "1_0"}], ["a"])[0].type == "string"


names = st.text(min_size=1, max_size=8)
flags = st.booleans()
ranges = st.tuples(st.floats(-9, 9), st.floats(-9, 9)).map(sorted)
NOT_NUMBERS = [None, True, "x", "1_0", float("nan"), float("inf"), 1e39, 10**400, [1], "\u0663"]
columns = st.one_of(
    st.builds(lambda name, missing, limits: Column(name, "number", missing, *limits), names, flags, ranges),
    st.builds(
        lambda name, missing, texts, unknown: Column(name, "string", missing, None, None, tuple(texts), unknown),
        *(names, flags, st.lists(names), flags),
    ),
    st.builds(lambda name: Column(name, "boolean"), names),
)


@given(st.lists(columns, min_size=1, unique_by=lambda column: column.name))
def test_a_schema_is_read_as_it_was_written(found: list[Column]) -> None:
    schema = Schema(tuple(found), OUTPUTS)
    assert Schema.from_json(schema.to_json()) == schema
    assert Schema.from_json(schema.to_json()).to_json() == schema.to_json()


def test_everything_wrong_in_a_document_is_told_at_once() -> None:
    document = json.loads(SCHEMA.to_json())
    document["columns"][0] |= {"type": "float", "missing": 1, "range": [2, 1]}
    document["columns"][1] |= {"name": "size", "categories": "here"}
    document["outputs"] = {"labels": [], "form": "rows"}
    with pytest.raises(SchemaError) as error:
        Schema.from_json(json.dumps(document))
    assert error.value.problems == (
        "column 1: type is 'float'; it must be number, integer, string or boolean",
        "column 1: missing must be true or false, found 1",
        "column 1: range is [2, 1]; its first number must not be the greater",
        "column 2: categories must be a list of texts",
        "the column 'size' is there twice",
        "outputs: labels must be a list of texts or whole numbers",
        "outputs: form is 'rows'; it must be records or labels",
    )


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"version": 2}', '{"version": 1, "columns": [1], "outputs": 3}'])
def test_what_is_no_schema_is_refused(text: str) -> None:
    with pytest.raises(SchemaError):
        Schema.from_json(text)


def test_all_problems_of_all_rows_are_found() -> None:
    rows = [{"size": 1, "place": "here"}, {"size": "x", "place": "nowhere"}, {"place": "there"}]
    assert [str(problem) for problem in SCHEMA.check(rows)] == [
        'row 2: size is "x"; it must be a number',
        "row 2: place is \"nowhere\"; it must be 'here' or 'there'",
        "row 3: size is missing; it must be a number",
    ]


@pytest.mark.parametrize(
    ("column", "takes", "refuses"),
    [
        (Column("c", "number"), [1, 1.5, "2e3", " 4 "], NOT_NUMBERS),
        (Column("c", "integer", missing=True), [1, 2.0, "3", None], [1.5, "1.5", ""]),
        (Column("c", "boolean"), [True, "false"], [1, "yes", None]),
        (Column("c", "string", unknown=True), ["", "new"], [None, 1]),
        (Column("c", "string", categories=("a",)), ["a"], ["b", None]),
    ],
)
def test_what_a_column_takes(column: Column, takes: list[object], refuses: list[object]) -> None:
    assert [value for value in takes if not column.takes(value)] == []
    assert [value for value in refuses if column.takes(value)] == []
