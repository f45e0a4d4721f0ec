"""A compiled model has a long way and short ones: for whatever bytes come, they give the same answer, or leave it."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from modelwright.serving.bodies import bulk, rows
from modelwright.serving.compiled.model import OnnxModel
from modelwright.serving.model import Request
from modelwright.serving.problems import RequestError
from modelwright.serving.schema import Column, Outputs, Schema

OUTPUTS = Outputs(("a", "b , c"), "records", 'kind "of"', "chance")
SCHEMAS = [
    Schema(
        (
            Column("place", "string", missing=True, categories=("here", "a,b", "NA", "size", " "), unknown=True),
            Column("size", "number", missing=True),
            Column("count", "integer"),
            Column("wild", "boolean"),
        ),
        OUTPUTS,
    ),
    Schema((Column("x", "number", missing=True), Column("y", "number", missing=True)), OUTPUTS),
    Schema((Column("size", "number", missing=True),), OUTPUTS),
    Schema((Column("place", "string", missing=True, categories=("here", " "), unknown=True),), OUTPUTS),
    Schema((Column("place", "string", categories=("here", "x")), Column("1", "integer", missing=True)), OUTPUTS),
]


class Session:
    """Predicts something that each value changes."""

    def __init__(self, schema):
        self._names = schema.names

    def get_inputs(self):
        return [SimpleNamespace(name=name) for name in self._names]

    def get_outputs(self):
        return [SimpleNamespace(name="probabilities")]

    def run(self, _, feeds):
        return [np.array([_chances(values) for values in zip(*feeds.values(), strict=True)], dtype=np.float32)]


def _chances(values):
    text = repr([value.item() for value in values])
    share = sum(text.encode()) % 1000 / 1000
    return [share, 1 - share]


MODELS = [OnnxModel(Session(schema), schema) for schema in SCHEMAS]
CELLS = ["here", "a,b", "size", "NA", "", " ", "1", "1.5", "-2e3", "1_0", "nan", "nAn", " nan ", "inf", "1e39", "1e309",
         "٣", "true", "False", "1\r", '"1"', '"', "0x1p3", "1\x0b", "\x00", "é", "\ufeff", "1" * 400,
         "1\u2028", "\t", "\u3000"]  # fmt: skip
ENDS = ["\n", "\r\n", "\r", "\n\n"]
VALUES = [
    '"here"',
    '"1"',
    "1",
    "1.5",
    "null",
    "true",
    "1e309",
    "1e39",
    "NaN",
    "1" * 400,
    '"\\ud800"',
    "[]",
    "{}",
    "-0",
    "01",
]
cells = st.lists(st.sampled_from(CELLS), min_size=1, max_size=5).map(",".join)
headed = st.sampled_from(
    [*(",".join(schema.names) for schema in SCHEMAS), "y,x", "size,place,count,wild,more", "x,x,y"]
)
csv_text = st.tuples(st.none() | headed, st.lists(cells, max_size=4), st.sampled_from(ENDS), st.booleans()).map(
    lambda found: found[2].join([*filter(None, found[:1]), *found[1]]) + found[2] * found[3]
)
fields = st.lists(
    st.tuples(st.sampled_from(["place", "size", "count", "wild", "x", "y", "1", "instances"]), st.sampled_from(VALUES)),
    max_size=5,
).map(lambda pairs: "{" + ",".join(f'"{name}":{value}' for name, value in pairs) + "}")
listed = st.lists(
    fields | st.lists(st.sampled_from(VALUES), max_size=4).map(lambda v: f"[{','.join(v)}]"), max_size=3
).map(lambda found: f"[{','.join(found)}]")
json_text = (
    fields | listed | listed.map(lambda found: f'{{"instances":{found}}}') | fields.map(lambda found: f"{found}x")
)
body = (csv_text | json_text).map(str.encode) | st.binary(max_size=40)
content_type = st.sampled_from(
    [
        "text/csv",
        "text/csv; charset=utf-8",
        "text/csv;charset=latin-1",
        "text/csv; charset=utf-16",
        "application/json",
        "",
    ]
)
accept = st.sampled_from(["", "*/*", "text/csv", "application/json", "image/png", "text/csv;q=0.1,*/*"])


def long_way(model, sent, headers):
    try:
        answer = model.run(model.prepare(Request(sent, headers)))
    except RequestError as error:
        return error.status, error.body()
    return 200, answer.body


@settings(deadline=None, max_examples=400)
@given(body, content_type, accept, st.sampled_from(MODELS))
@example(b"x,y\n1\r,2\n", "text/csv", "", MODELS[1])
@example(b"nAn,1", "text/csv", "", MODELS[1])
def test_the_short_way_of_a_row_answers_as_the_long_one_or_not_at_all(sent, kind, wish, model):
    status, wanted = long_way(model, sent, {"content-type": kind, "accept": wish})
    assert status in {200, 400, 406, 415}
    way = model.quick(kind, wish)
    found = way.answer(sent) if way is not None and sent else None
    assert found is None or (status, found) == (200, wanted)


@settings(deadline=None, max_examples=400)
@given(csv_text.map(str.encode) | st.binary(max_size=40), st.sampled_from(SCHEMAS))
@example(b"x,y\n1\r,2\n", SCHEMAS[1])
@example(b"size,more\n1,\xff\n", SCHEMAS[2])
@example(b" \nhere\n", SCHEMAS[3])
@example(b"1\r,2\n", SCHEMAS[1])
@example(b"x,y,\r\nz\n1,2,3\r\n", SCHEMAS[1])
def test_columns_are_read_as_lines_are_or_not_at_all(sent, schema):
    pieces = bulk.predictions(sent, schema, list)
    if not pieces:
        return
    found = [np.concatenate(parts).ravel().tolist() for parts in zip(*pieces, strict=True)]
    assert repr(found) == repr([array.ravel().tolist() for array in rows.from_csv(sent.decode(), schema)])


@pytest.mark.parametrize("text", ["nAn", "+nan", " nan ", "NAN", "1_0", "inf", " 1", "", "NA", "x"])
def test_a_value_is_taken_or_not_whatever_stands_beside_it(text):
    alone, beside = (
        long_way(MODELS[1], lines.encode(), {"content-type": "text/csv"})[0]
        for lines in (f"{text},1", f"{text},1\n,1\n2,2")
    )
    assert alone == beside
