"""Which inputs are joined into one, and how a prediction of them is cut."""

import numpy as np
import pandas as pd
import pytest

from modelwright.serving.scripts.joining import form_of, join, split

FRAME = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (FRAME, pd.DataFrame({"a": [3], "b": ["z"]})),
        (np.zeros((2, 3)), np.ones((5, 3))),
        ([{"a": 1, "b": "x"}], [{"a": 2, "b": "y"}, {"a": 3, "b": ""}]),
        ([[1, "x"]], [[2, "y"]]),
        (["a text"], ["another"]),
    ],
)
def test_rows_of_one_form_are_joined(left, right):
    assert form_of(left)[0] == form_of(right)[0]
    joined = join([left, right])
    assert type(joined) is type(left)
    assert len(joined) == len(left) + len(right) == form_of(left)[1] + form_of(right)[1]
    parts = split(joined, [len(left), len(right)])
    for part, whole in zip(parts, (left, right), strict=True):
        pd.testing.assert_frame_equal(pd.DataFrame(part), pd.DataFrame(whole))


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (FRAME, FRAME[["b", "a"]]),
        (FRAME, FRAME.astype({"a": float})),
        (FRAME, FRAME.rename(columns={"a": "c"})),
        (np.zeros((2, 3)), np.zeros((2, 4))),
        (np.zeros((2, 3)), np.zeros((2, 3), dtype="float32")),
        (np.zeros((2, 3)), [[0.0, 0.0, 0.0]]),
        ([[1, 2]], [[1, 2, 3]]),
        ([[1, 2]], [(1, 2)]),
        ([{"a": 1}], [{"a": None}]),
        ([{"a": 1}], [{"a": True}]),
        ([{"a": 1, "b": 2}], [{"b": 2, "a": 1}]),
        (["1"], [1]),
    ],
)
def test_rows_of_another_form_are_not(left, right):
    assert form_of(left)[0] != form_of(right)[0]


@pytest.mark.parametrize(
    "rows",
    [
        FRAME.set_index("b"),
        FRAME.iloc[1:],
        FRAME.iloc[:0],
        FRAME["a"],
        np.zeros(3),
        np.zeros((0, 3)),
        np.ma.masked_array(np.zeros((2, 2))),
        [],
        (1, 2),
        [{"a": [1]}],
        [[[1.0]]],
        [object()],
        {"a": [1]},
        "text",
        None,
        3,
    ],
)
def test_what_may_not_be_rows_goes_alone(rows):
    assert form_of(rows) is None


def test_a_frame_with_notes_goes_alone():
    frame = FRAME.copy()
    frame.attrs["unit"] = "mm"
    assert form_of(frame) is None


def test_what_is_done_to_joined_rows_does_not_reach_the_requests():
    row, frame, array = {"a": 1}, FRAME.copy(), np.zeros((1, 2))
    join([[row], [{"a": 2}]])[0].pop("a")
    join([[[1]], [[2]]])[0].clear()
    joined = join([frame, frame])
    joined["a"] = 0
    join([array, array])[:] = 7
    assert row == {"a": 1}
    assert frame["a"].tolist() == [1, 2]
    assert not array.any()


def test_a_part_of_a_frame_or_a_series_has_the_index_of_one_of_its_own():
    parts = split(pd.DataFrame({"a": range(5)}), [2, 3])
    assert [part.to_dict("list") for part in parts] == [{"a": [0, 1]}, {"a": [2, 3, 4]}]
    assert [list(part.index) for part in parts] == [[0, 1], [0, 1, 2]]
    named = split(pd.Series([1, 2], index=["x", "y"]), [1, 1])
    assert [list(part.index) for part in named] == [["x"], ["y"]]


@pytest.mark.parametrize("prediction", [np.array(3.0), np.zeros(2), pd.Series([1]), "abc", (1, 2, 3), None])
def test_a_prediction_that_has_not_one_item_a_row_is_not_split(prediction):
    assert split(prediction, [1, 2]) is None
