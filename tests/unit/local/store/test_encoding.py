from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelwright.local.store.encoding import dumps, loads

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary()
    | st.datetimes(timezones=st.just(UTC))
    | st.decimals(allow_nan=False)
)
keys = st.text() | st.sampled_from(["$datetime", "$decimal", "$bytes", "$float", "$dict"])
values = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(keys, inner), max_leaves=20)


@given(values)
def test_every_value_comes_back_as_it_was(value: object) -> None:
    assert loads(dumps(value)) == value


def test_nan_comes_back() -> None:
    assert math.isnan(loads(dumps({"loss": math.nan}))["loss"])


def test_equal_values_give_equal_text() -> None:
    assert dumps({"b": 1, "a": (2,)}) == dumps({"a": [2], "b": 1}) == '{"a":[2],"b":1}'


def test_a_decimal_keeps_its_digits() -> None:
    assert str(loads(dumps([Decimal("1.10")]))[0]) == "1.10"


def test_times_are_kept_as_utc() -> None:
    there = datetime(2026, 1, 1, 12, tzinfo=timezone(timedelta(hours=2)))
    assert loads(dumps([there]))[0].isoformat() == "2026-01-01T10:00:00+00:00"


@pytest.mark.parametrize(
    ("value", "named"),
    [(datetime(2026, 1, 1), "no time zone"), ({1: "a"}, "the key 1"), ({"a": {1, 2}}, "builtins.set")],  # noqa: DTZ001
)
def test_what_json_cannot_hold_is_named(value: object, named: str) -> None:
    with pytest.raises(TypeError, match=named):
        dumps(value)
