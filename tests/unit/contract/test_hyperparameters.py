"""Hyperparameters without AWS's toolkit at hand: the table of the contract, value by value."""

from __future__ import annotations

import math

import pytest

from modelwright.contract import hyperparameters


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("False", "False"),
        ("null", None),
        ('"10"', "10"),
        ("00123", "00123"),
        ("1e-3", 0.001),
        ("10", 10),
        ('[1, "a"]', [1, "a"]),
        ('{"a": 1}', {"a": 1}),
        ("", ""),
        ("{half", "{half"),
        (" 7 ", 7),
    ],
)
def test_each_text_is_json_or_itself(text: str, value: object) -> None:
    assert hyperparameters.read({"x": text}) == {"x": value}


def test_nan_is_a_number_as_for_the_toolkit() -> None:
    assert math.isnan(hyperparameters.read({"x": "NaN"})["x"])


def test_arguments_are_sorted_named_verbatim_and_in_pythons_words() -> None:
    values = {
        "max_depth": 3, "learning-rate": 0.1, "k": None, "Z": "z", "flag": True, "list": [1, "x"],
        "map": {"b": 1, "a": None}, "text": "a;b $HOME", "": 1,
    }  # fmt: skip
    assert hyperparameters.arguments(values) == [
        "", "1", "-Z", "z", "--flag", "True", "-k", "", "--learning-rate", "0.1", "--list", "[1, 'x']",
        "--map", "a=None,b=1", "--max_depth", "3", "--text", "a;b $HOME",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        ("as it is", "as it is"),
        (True, "true"),
        (0.1, "0.1"),
        ({"b": 1, "a": [1, None]}, '{"a":[1,null],"b":1}'),
    ],
)
def test_a_value_in_the_environment_is_compact_sorted_json(value: object, text: str) -> None:
    assert hyperparameters.environment_text(value) == text


def test_the_platforms_own_are_kept_from_the_script() -> None:
    values = {"C": 1, "sagemaker_program": "train.py", "sagemaker_mine": 2, "_tuning_objective_metric": "m"}
    assert hyperparameters.of_script(values) == {"C": 1}
    assert hyperparameters.of_framework(values) == {"sagemaker_mine": 2}
