from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelwright.config.gate import OPERATORS, GateClause, GateSyntaxError, parse_clause

names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,20}", fullmatch=True)
numbers = st.floats(allow_nan=False, allow_infinity=False)


def test_a_number_and_the_champion_have_the_form_of_a_release() -> None:
    assert parse_clause("accuracy >= 0.80").to_dict() == {
        "left": {"metric": "accuracy"},
        "op": ">=",
        "right": {"number": 0.8},
        "text": "accuracy >= 0.80",
    }
    assert parse_clause("accuracy>=champion.accuracy-0.01").to_dict()["right"] == {
        "champion": "accuracy",
        "plus": -0.01,
    }
    assert parse_clause("loss < champion.loss").to_dict()["right"] == {"champion": "loss", "plus": 0.0}


@given(names, st.sampled_from(OPERATORS), numbers, st.sampled_from(["", " ", "  "]))
def test_every_clause_on_a_number_is_read_as_written(metric: str, operator: str, number: float, space: str) -> None:
    clause = parse_clause(f"{metric}{space}{operator}{space}{number!r}")
    assert (clause.metric, clause.op, clause.number, clause.champion) == (metric, operator, number, None)


@given(names, st.sampled_from(OPERATORS), names, st.sampled_from("+-"), st.floats(0, 1e300))
def test_every_clause_on_the_champion_is_read_as_written(
    metric: str, operator: str, other: str, sign: str, number: float
) -> None:
    clause = parse_clause(f"{metric} {operator} champion.{other} {sign} {number!r}")
    assert (clause.metric, clause.op, clause.champion) == (metric, operator, other)
    assert clause.plus == (number if sign == "+" else -number)


@given(names, st.sampled_from(OPERATORS), numbers)
def test_a_clause_survives_json(metric: str, operator: str, number: float) -> None:
    clause = parse_clause(f"{metric} {operator} {number!r}")
    assert GateClause.from_dict(json.loads(json.dumps(clause.to_dict()))) == clause


@given(st.text(max_size=60) | st.text(alphabet="ab1.<>=!+-e champion", max_size=40))
def test_any_text_is_a_finite_clause_or_an_error(text: str) -> None:
    try:
        clause = parse_clause(text)
    except GateSyntaxError:
        return
    assert clause.op in OPERATORS
    assert (clause.number is None) != (clause.champion is None)
    assert math.isfinite(clause.number if clause.number is not None else clause.plus)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("accuracy", 'is \'accuracy\'; it must be "metric >= number" or "metric >= champion.metric - number".'),
        ("accuracy => 0.8", "is 'accuracy => 0.8' with the operator '=>'; it must be one of >= <= == != > <."),
        ("champion.f1 < f1", "is 'champion.f1 < f1'; the champion's metric must stand on the right side: "),
        ("a-b > 1", "is 'a-b > 1'; 'a-b' must be a metric's name: letters, digits and _."),
        ("a > b", "is 'a > b'; 'b' is neither a number nor champion.<metric>."),
        ("a > nan", "is 'a > nan'; 'nan' is neither a number nor champion.<metric>."),
        ("a > 1e999", "is 'a > 1e999'; '1e999' is too large for a number."),
        ("a > champion.a * 2", "is 'a > champion.a * 2'; 'champion.a * 2' is neither"),
        ("a > 0.5; import os", "is 'a > 0.5; import os'; '0.5; import os' is neither"),
        ("a" * 201, "has 201 characters; it must have at most 200."),
    ],
)
def test_an_error_says_what_was_found_and_what_is_allowed(text: str, message: str) -> None:
    with pytest.raises(GateSyntaxError) as raised:
        parse_clause(text)
    assert str(raised.value).startswith(message)
