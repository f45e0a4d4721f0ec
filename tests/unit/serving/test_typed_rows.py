"""JSON by the schema's types: read, and answered, as by the way that looks at each value."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelwright.serving.bodies import answers, typed
from modelwright.serving.bodies.rows import from_json
from modelwright.serving.http.media import JSON
from modelwright.serving.problems import RequestError
from modelwright.serving.schema import Column, Outputs, Schema

OUTPUTS = Outputs(("a", "b"), "records", "kind", "chance")
SCHEMA = Schema(
    (
        Column("place", "string", missing=True, categories=("here", "there")),
        Column("size", "number", missing=True),
        Column("count", "integer"),
        Column("wild", "boolean", missing=True),
    ),
    OUTPUTS,
)
chance = st.floats(0, 1, width=32)
value = st.sampled_from(["here", "there", "NA", "1", None, True, False, 0, 2.5, -7, 1e39, 2**70, [], {}, "ü", '"'])
good = st.fixed_dictionaries(
    {
        "place": st.sampled_from(["here", "there", None]),
        "size": st.none() | st.floats(-1e30, 1e30) | st.integers(-(2**70), 2**70),
        "count": st.integers(-(10**6), 10**6) | st.just(3.0),
        "wild": st.none() | st.booleans(),
    }
)
odd = st.dictionaries(st.sampled_from([*SCHEMA.names, "instances"]), value)
many = st.lists(good, max_size=4) | st.lists(good | odd, max_size=3)
document = many | good | odd | st.fixed_dictionaries({"instances": many}) | st.lists(st.lists(value), max_size=2)


def same(found, wanted) -> bool:
    return all(
        (left.dtype, left.shape, str(left.tolist())) == (right.dtype, right.shape, str(right.tolist()))
        for left, right in zip(found, wanted, strict=True)
    )


@settings(deadline=None)
@given(document, st.booleans())
def test_rows_are_read_as_by_the_long_way(body, escaped):
    text = json.dumps(body, ensure_ascii=escaped)
    found = typed.Reader(SCHEMA).read(text)
    if found is not None:
        assert same(found, from_json(text, SCHEMA))


@settings(deadline=None)
@given(st.lists(good, min_size=1, max_size=4), st.booleans())
def test_what_is_right_is_taken(rows, named):
    body: object = {"instances": rows} if named else rows
    assert typed.Reader(SCHEMA).read(json.dumps(body)) is not None


def test_what_is_wrong_is_left_to_who_tells_it():
    text = json.dumps([{"place": "nowhere", "size": 1, "count": 1, "wild": True}])
    assert typed.Reader(SCHEMA).read(text) is None
    with pytest.raises(RequestError, match='place is "nowhere"'):
        from_json(text, SCHEMA)


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["a", "b"]), st.floats(0, 1, width=32), st.floats(0, 1, width=32)), max_size=4)
)
def test_answers_are_written_as_of_dicts(rows):
    labels, probabilities = [row[0] for row in rows], [list(row[1:]) for row in rows]
    wanted = answers._json_dicts(OUTPUTS)(labels, probabilities)
    assert answers.writer(OUTPUTS, JSON)(labels, probabilities) == wanted
    assert json.loads(wanted)["predictions"] == [
        {"kind": label, "chance": {"a": left, "b": right}} for label, left, right in rows
    ]


def test_names_that_no_field_can_have_are_written_too():
    outputs = Outputs(('the "a"', "b"), "records", "kind", "chance")
    body = answers.writer(outputs, JSON)(["b"], np.array([[0.25, 0.75]]).tolist())
    assert json.loads(body) == {"predictions": [{"kind": "b", "chance": {'the "a"': 0.25, "b": 0.75}}]}
