"""Rows by the schema: what pandas and `json` read is read, and all that is wrong is told."""

from __future__ import annotations

import csv
import io
import json
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelwright.serving.bodies.rows import from_csv, from_json
from modelwright.serving.problems import RequestError
from modelwright.serving.schema import Column, Outputs, Schema

SCHEMA = Schema(
    (
        Column("place", "string", missing=True, unknown=True),
        Column("size", "number", missing=True),
        Column("count", "integer"),
        Column("wild", "boolean"),
    ),
    Outputs(("a", "b"), "labels"),
)
NAMES = list(SCHEMA.names)
STRICT = Schema((Column("place", "string", categories=("here",)), Column("size", "number")), SCHEMA.outputs)
numbers = st.floats(-1e30, 1e30, allow_nan=False) | st.none()
texts = st.text(st.characters(codec="utf-8", exclude_characters="\0\ufeff"), min_size=1).filter(
    lambda t: t.strip() == t
)
rows_of_values = st.lists(
    st.tuples(st.none() | texts, numbers, st.integers(-(10**6), 10**6), st.booleans()), min_size=1, max_size=5
)


def cells(arrays: list[np.ndarray]) -> list[list[object]]:
    assert all(array.shape == (len(arrays[0]), 1) for array in arrays)
    return [
        [None if isinstance(value, float) and math.isnan(value) else value for value in array[:, 0].tolist()]
        for array in arrays
    ]


def told(read, *arguments) -> str:
    with pytest.raises(RequestError) as error:
        read(*arguments)
    assert error.value.status == 400
    return error.value.message


@given(rows_of_values, st.booleans(), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_csv_is_what_pandas_reads(rows, header: bool, end: str, quote: bool) -> None:
    text = io.StringIO()
    quote |= any("\r" in (row[0] or "") for row in rows)  # csv does not quote it, and unquoted it ends the line
    quoting = csv.QUOTE_ALL if quote else csv.QUOTE_MINIMAL
    csv.writer(text, lineterminator=end, quoting=quoting).writerows([*([NAMES] if header else []), *rows])
    found = cells(from_csv(text.getvalue(), SCHEMA))
    wanted = pd.read_csv(
        io.StringIO(text.getvalue(), newline=""), header=0 if header else None, names=NAMES, dtype={"place": str}
    )
    assert found[0] == ["" if pd.isna(value) else value for value in wanted["place"]]
    for place, name in enumerate(NAMES[1:], 1):
        values = wanted[name].astype("float64").astype("float32").tolist()
        assert found[place] == [None if math.isnan(value) else value for value in values]


@given(rows_of_values, st.sampled_from(["records", "instances", "lists"]))
def test_json_is_what_json_reads(rows, form: str) -> None:
    objects = [dict(zip(NAMES, row, strict=True)) for row in rows]
    body = json.dumps({"records": objects, "instances": {"instances": objects}, "lists": rows}[form])
    found = cells(from_json(body.encode(), SCHEMA))
    assert found[0] == ["" if row[0] is None else row[0] for row in rows]
    assert found[1] == [None if row[1] is None else float(np.float32(row[1])) for row in rows]
    assert found[2] == [float(np.float32(row[2])) for row in rows]
    assert found[3] == [float(row[3]) for row in rows]


def test_columns_with_a_header_stand_in_any_order_beside_others() -> None:
    text = "wild,extra,size,count,place\ntrue,7,1.5,2,here\n\n  \nfalse,8,NA,3,\n"
    assert cells(from_csv(text, SCHEMA)) == [["here", ""], [1.5, None], [2.0, 3.0], [1.0, 0.0]]


def test_one_object_is_one_row_and_a_name_that_some_rows_have_is_missing_in_the_others() -> None:
    one = {"place": "here", "size": "1.5", "count": 1, "wild": False, "extra": []}
    assert cells(from_json(json.dumps(one), SCHEMA)) == [["here"], [1.5], [1.0], [0.0]]
    assert cells(from_json(json.dumps([one, {"count": 2, "wild": True}]), SCHEMA))[:2] == [["here", ""], [1.5, None]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "The body has no rows."),
        ("\n \n", "The body has no rows."),
        ("place,size\n", "The body has a header, but no rows."),
        ("here,1\nhere\n", "The first line has 2 values, but line 2 (blank ones not counted) has 1."),
        ("here,1,2\n", "A row without a header has 3 values; it must have 2: place, size."),
        ("place,other\nhere,1\n", "The column size is missing; needed are place, size."),
        ("place,size,size\nhere,1,2\n", "The header has size more than once."),
        ('here,"1\n', "The body is not CSV: unexpected end of data."),
        (
            "here,1\nthere,x\n,\nhere,1_0\n",
            'row 2: place is "there"; it must be \'here\'; row 2: size is "x"; it must be a number; row 3: place is',
        ),
    ],
)
def test_csv_that_is_wrong(text: str, message: str) -> None:
    assert told(from_csv, text, STRICT).startswith(message)


@pytest.mark.parametrize("size", ["nan", "inf", "-inf", "1e39", "1_0", "٣", "0x1", "", "x"])
def test_what_is_no_number_is_told_with_its_row(size: str) -> None:
    message = told(from_csv, f"here,1\nhere,{size}\n", STRICT)
    assert message.startswith("row 2: size is ")
    assert message.endswith("; it must be a number.")


def test_a_great_number_of_wrong_values_is_counted() -> None:
    assert told(from_csv, "here,x\n" * 50, STRICT).endswith("; and 30 more.")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ('{"place": "here", "si', "The body is not JSON"),
        ('[{"place": "here", "size": NaN}]', "The body is not JSON"),
        ("3", "The JSON body must be an object"),
        ("[3]", "The JSON body must be an object"),
        ("[]", "The body has no rows."),
        ('{"instances": []}', "The body has no rows."),
        ("[" * 5000, "The body is not JSON"),
        ('[{"place": "here", "size": 1}, 3]', "Row 2 is of another kind than row 1; it must be an object."),
        ('[["here", 1], ["here"]]', "Row 2 has 1 values; it must have 2: place, size."),
        ('{"place": "here"}', "The column size is missing; needed are place, size."),
        ('{"place": 3, "size": true}', "row 1: place is 3; it must be 'here'; row 1: size is true; it"),
        ('{"place": "here", "size": 1e400}', ""),
        ('{"place": "here", "size": ""}', 'row 1: size is ""; it must be a number.'),
        ('{"place": ["here"], "size": {}}', 'row 1: place is ["here"]'),
    ],
)  # fmt: skip
def test_json_that_is_wrong(body: str, message: str) -> None:
    assert message in told(from_json, body, STRICT)
