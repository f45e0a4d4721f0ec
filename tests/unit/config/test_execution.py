from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelwright.config.execution import ExecutionInput, Trigger
from modelwright.config.job_values import hyperparameter_text, parse_overrides
from modelwright.errors import InvalidInput, InvalidOverride

MANUAL = Trigger("manual", "4f9f1c9e-8a3a-4f6e-9a55-1f2b3c4d5e6f")
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def test_what_is_not_given_is_left_out() -> None:
    assert ExecutionInput("penguins", "default", MANUAL).to_dict() == {
        "schema": 1,
        "pipeline": "penguins",
        "release": "default",
        "trigger": {"kind": "manual", "id": MANUAL.id},
    }


@given(st.dictionaries(st.text(min_size=1, max_size=9), st.text(max_size=20), max_size=3))
def test_an_input_survives_json(overrides: dict[str, str]) -> None:
    trigger = Trigger("merge", "abc", "1" * 40)
    found = ExecutionInput("penguins", "a" * 64, trigger, "s3://bucket/key", overrides)
    assert ExecutionInput.from_json(found.to_json()) == found


def test_a_marker_survives_json() -> None:
    marker = Trigger("data", "e-1", bucket={"name": "data"}, object={"key": 'a "b"/_SUCCESS', "version-id": "v1"})
    found = ExecutionInput("penguins", "default", marker)
    assert ExecutionInput.from_json(found.to_json()) == found


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"schema": 2}, "schema 2; this modelwright reads schema 1."),
        ({"extra": 1}, "unknown keys extra;"),
        ({"pipeline": ""}, "pipeline is ''; it must be a name."),
        ({"release": "latest"}, "release is 'latest'; it must be 64 hex digits, 'default' or 'commit'."),
        (
            {"trigger": {"kind": "cron", "id": "x"}},
            "trigger.kind is 'cron'; it must be manual, merge, schedule or data.",
        ),
        ({"trigger": {"kind": "manual", "id": ""}}, "trigger.id is ''; it must be an event's id or a UUID."),
        (
            {"trigger": {"kind": "merge", "id": "x", "commit": "HEAD"}},
            "trigger.commit is 'HEAD'; it must be 40 hex digits",
        ),
        ({"trigger": {"kind": "merge", "id": "x", "why": 1}}, "no input of an execution of schema 1"),
        ({"trigger": {"kind": "data", "id": "x", "object": {"key": "k"}}}, "must be what S3 tells of a new object."),
        (
            {"trigger": {"kind": "manual", "id": "x", "object": {}, "bucket": {}}},
            "trigger.object is for trigger.kind 'data'",
        ),
        (
            {"trigger": {"kind": "data", "id": "x", "object": {}, "bucket": {}}, "data": "s3://b/k"},
            "data stands beside trigger.object, whose folder is the data.",
        ),
        ({"release": "commit"}, "release is 'commit' and trigger.commit is missing."),
        ({"data": "file.csv"}, "data is 'file.csv'; it must be s3://bucket/prefix."),
        ({"overrides": {"C": 0.5}}, "overrides.C must be a text of at most 2500 characters."),
        ({"overrides": {"C": "x" * 2501}}, "overrides.C must be a text of at most 2500 characters."),
        ({"overrides": ["C"]}, "overrides is ['C']; it must be a mapping of texts."),
    ],
)
def test_what_does_not_follow_the_schema_is_an_error(change: dict[str, object], problem: str) -> None:
    right = ExecutionInput("penguins", "default", MANUAL).to_dict()
    with pytest.raises(InvalidInput) as raised:
        ExecutionInput.from_json(json.dumps({**right, **change}))
    assert problem in str(raised.value)


@given(json_values)
def test_a_hyperparameters_text_gives_the_same_value_back(value: object) -> None:
    """SageMaker's containers read each text by json.loads."""
    assert json.loads(hyperparameter_text(value)) == value
    assert "\n" not in hyperparameter_text(value)


def test_overrides_are_split_at_the_first_equals_sign() -> None:
    known = {"C": 1.0, "solver": "x", "empty": 1}
    found = parse_overrides(["C=0.5", 'solver=a=b "c"', "empty="], known)
    assert found == {"C": "0.5", "solver": 'a=b "c"', "empty": ""}


@pytest.mark.parametrize(
    ("texts", "problem"),
    [
        (["C"], "-p 'C' is not of the form name=value, like C=0.5."),
        (["=1"], "-p '=1' is not of the form name=value, like C=0.5."),
        (["c=1"], "-p 'c=1': c is no hyperparameter of this pipeline.\nDid you mean C?"),
        (["gamma=1"], "gamma is no hyperparameter of this pipeline.\nIt has C and max-iter."),
        (["C=1", "C=2"], "-p 'C=2': C is given twice."),
        (["C=" + "x" * 2501], "-p C=… has 2501 characters; it must have at most 2500."),
    ],
)
def test_a_wrong_override_is_an_error(texts: list[str], problem: str) -> None:
    with pytest.raises(InvalidOverride) as raised:
        parse_overrides(texts, {"C": 1.0, "max-iter": 100})
    assert str(raised.value).endswith(problem)
