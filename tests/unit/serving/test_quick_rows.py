"""The short way of one row: whatever it takes, it reads and writes as the long way does."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelwright.serving.bodies import answers, quick, rows
from modelwright.serving.bodies.one_row import OneRow
from modelwright.serving.http import media
from modelwright.serving.schema import LARGEST, Column, Outputs, Schema

OUTPUTS = Outputs(("a", "b , c"), "records", 'kind "of"', "chance")
SCHEMA = Schema(
    (
        Column("place", "string", missing=True, categories=("here", "there_1", "a,b", "NA", "size", " "), unknown=True),
        Column("size", "number", missing=True),
        Column("count", "integer"),
        Column("wild", "boolean"),
    ),
    OUTPUTS,
)
NUMBERS = Schema((Column("x", "number"), Column("y", "number")), OUTPUTS)
ONE = Schema((Column("place", "string", categories=("here", "x")),), OUTPUTS)
ANY = Schema((Column("place", "string", missing=True, unknown=True),), OUTPUTS)
GONE = Schema((Column("x", "number", missing=True),), OUTPUTS)
STRICT = Schema(
    (Column("place", "string", categories=("here", "NA", "")), Column("x", "integer", missing=True)), OUTPUTS
)
SCHEMAS = [SCHEMA, NUMBERS, ONE, ANY, GONE, STRICT]
cell = st.sampled_from(
    ["here", "there_1", "NA", "size", "", " ", "1", "1.5", "-2e3", "1_0", "nan", "inf", "1e39", repr(LARGEST), "٣",
     "true", "False", " 1", "1\r", '"1"', "3.4028235e38", "0x1", "1\x0b", "+.5", "nAn", "+nan", " nan ",
     "\x00", "1e400", "-inf", "Infinity", "1__0", "2."]
)  # fmt: skip
line = st.lists(cell, min_size=1, max_size=5).map(",".join)
text = st.lists(line, min_size=1, max_size=3).map("\n".join) | st.text(',\n\r"1e_ here', max_size=20)
value = st.sampled_from(
    ["here", "there_1", "NA", "size", "1", None, True, False, 0, 1, 2.5, -7, 1e39, 2**70, LARGEST, 1e-400, [], {}, "ü"]
)
row = st.dictionaries(st.sampled_from([*SCHEMA.names, "x", "y", "instances", "more"]), value)
document = row | st.lists(row, max_size=2) | st.fixed_dictionaries({"instances": st.lists(row, max_size=2)})


def same(found, wanted) -> bool:
    return all(
        (left.dtype, left.shape, str(left.tolist())) == (right.dtype, right.shape, str(right.tolist()))
        for left, right in zip(found, wanted, strict=True)
    )


def compare(read, long_way, body: bytes, schema: Schema) -> None:
    found = read(body)
    if found is not None:
        assert same([found[name] for name in schema.names], long_way(body.decode(), schema))


@settings(deadline=None)
@given(text, st.sampled_from(["", "\n", "\r\n"]), st.sampled_from(SCHEMAS))
def test_a_line_is_read_as_by_the_long_way(body, end, schema):
    compare(quick.csv_reader(OneRow(schema)), rows.from_csv, (body + end).encode(), schema)


@settings(deadline=None)
@given(document, st.booleans(), st.sampled_from(SCHEMAS))
def test_an_object_is_read_as_by_the_long_way(found, escaped, schema):
    body = json.dumps(found, ensure_ascii=escaped).encode()
    compare(quick.json_reader(OneRow(schema)), rows.from_json, body, schema)


@pytest.mark.parametrize(
    "body",
    [
        b'{"x": 1, "y": 2, "x": 3}',
        b'{"x": 1, "y": 2, "\\u0069nstances": [{"x": 5, "y": 6}]}',
        b'{"x": 1, "y": 2, "more": {"instances": 1}}',
        b'{"instances": [{"x": 1, "y": 2}], "instances": [{"x": 3, "y": 4}]}',
        b'{"instances": {"x": 1}, "x": 1, "y": 2}',
        b' [{"x": 1, "y": 2}] ',
        b'{"x": 1, "y": 2} {}',
        b'{"x": 1, "y": 2, "more": "\xff"}',
    ],
)
def test_odd_documents(body):
    read = quick.json_reader(OneRow(NUMBERS))
    found = read(body)
    assert found is None or same(list(found.values()), rows.from_json(body.decode(), NUMBERS))


def test_what_is_common_takes_the_short_way():
    as_csv, as_json = quick.csv_reader(OneRow(SCHEMA)), quick.json_reader(OneRow(SCHEMA))
    fields = {"place": "here", "size": 1.5, "count": 2, "wild": True}
    bodies = [json.dumps(form).encode() for form in (fields, [fields], {"instances": [fields]}, {**fields, "more": []})]
    assert all(as_json(body) for body in bodies)
    assert as_csv(b"there_1,1.5,2,true\n")
    assert as_csv(b"here,1.5,2,false")
    assert [array.item() for array in as_csv(b"here,1.5,2,false").values()] == [1.5, 2.0, 0.0, "here"]
    assert str([array.item() for array in as_csv(b"NA,,2,false").values()]) == "[nan, 2.0, 0.0, '']"
    assert as_csv(b"nowhere,1,2,false")["place"].item() == "nowhere"
    gone = as_json(json.dumps({**fields, "place": None, "size": None}).encode())
    assert str([array.item() for array in gone.values()]) == "[nan, 2.0, 1.0, '']"


def test_deep_nesting_is_no_end_of_the_process():
    read = quick.json_reader(OneRow(NUMBERS))
    assert read(b'{"x": 1, "y": 2, "more": ' + b"[" * 30_000 + b"]" * 30_000 + b"}") is None


def test_a_column_whose_name_is_a_number_leaves_lines_to_the_long_way():
    assert quick.csv_reader(OneRow(Schema((Column("1", "number"), Column("2", "number")), OUTPUTS))) is None


@settings(deadline=None)
@given(st.lists(st.floats(0, 1, width=32) | st.just(math.nan), min_size=2, max_size=2), st.sampled_from(answers.TYPES))
def test_an_answer_is_written_as_by_the_long_way(row, accept):
    label, found = OUTPUTS.labels[int(np.argmax(row))], quick.writer(OUTPUTS, accept)(row)
    assert (found is None) == any(map(math.isnan, row))
    assert found is None or found == answers.writer(OUTPUTS, accept)([label], [row])


def test_other_forms_and_odd_names_are_left_to_the_long_way():
    assert quick.writer(Outputs(("a",), "labels"), media.JSON) is None
    assert quick.writer(Outputs(('a "quoted"',), "records"), media.JSON) is None
    assert quick.json_reader(OneRow(Schema((Column('a "quoted"', "number"),), OUTPUTS))) is None
