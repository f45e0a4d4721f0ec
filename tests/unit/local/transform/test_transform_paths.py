"""The JSONPath of filters: AWS's examples, and what is none of its operators."""

from __future__ import annotations

from typing import Any

import pytest

from modelwright.local.sagemaker.transform.paths import PathError, parse

RECORD: dict[str, Any] = {"id": 7, "features": [1, 2, 3], "deep": {"a": 1, "b": 2}}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("$", RECORD),
        ("", RECORD),
        ("$.id", 7),
        ("$['id']", 7),
        ("$['id','features']", {"id": 7, "features": [1, 2, 3]}),
        ("$.features[1]", 2),
        ("$.features[-1]", 3),
        ("$.features[0,2]", [1, 3]),
        ("$.features[1:]", [2, 3]),
        ("$.features[:1]", [1]),
        ("$.deep.*", [1, 2]),
        ("$.deep['a', 'b']", {"a": 1, "b": 2}),
        ("$.features[0,1:]", [1, 2, 3]),
    ],
)
def test_documented_operators_select(path: str, found: Any) -> None:
    assert parse(path).select(RECORD) == found


@pytest.mark.parametrize("path", ["id", "$..id", "$[?(@.a)]", "$[", "$.features[a]", "$ .id", "$['a'].length()"])
def test_other_operators_are_refused(path: str) -> None:
    with pytest.raises(PathError):
        parse(path)


@pytest.mark.parametrize("path", ["$.none", "$['id','none']", "$.features[9]", "$[0]", "$.id.more", "$.id.*"])
def test_what_a_record_does_not_have_is_an_error(path: str) -> None:
    with pytest.raises(PathError):
        parse(path).select(RECORD)


@pytest.mark.parametrize(
    ("path", "places"),
    [("$", [0, 1, 2]), ("$[*]", [0, 1, 2]), ("$[1:]", [1, 2]), ("$[0,-1]", [0, 2]), ("$[2,0]", [2, 0])],
)
def test_a_row_of_csv_has_places(path: str, places: list[int]) -> None:
    assert parse(path).places(3) == places


def test_a_row_of_csv_has_no_names() -> None:
    with pytest.raises(PathError, match="only places"):
        parse("$.SageMakerOutput").places(3)
