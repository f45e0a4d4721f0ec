"""What is predicted in one call, how many rows it has, and whose fault an error of several is: without threads."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelwright.serving.model import Answer
from modelwright.serving.problems import RequestError
from modelwright.serving.scripts import gather
from modelwright.serving.scripts.gather import Gathering


class Steps:
    """Requests are lists of rows; the fake remembers each call."""

    def __init__(self, predict=lambda rows: [row * 2 for row in rows]):
        self.function = predict
        self.calls = []
        self.row_bytes = 8

    def size(self, prepared):
        return len(prepared) * self.row_bytes

    def read(self, prepared):
        if prepared == "unreadable":
            raise RequestError(400, "BadRequest", "unreadable")
        return prepared

    def predict(self, rows, prepared):
        assert prepared is rows
        try:
            return self.predict_together(rows)
        except Exception as error:
            raise RequestError(500, "ModelError", str(error)) from error

    def predict_together(self, rows):
        self.calls.append(len(rows))
        return self.function(rows)

    def write(self, prediction, prepared):
        if prediction == [26]:
            raise KeyError("unlucky")
        return Answer(repr(prediction).encode(), "text/plain")


def gathered(gathering, requests):
    """Answer these, as many calls as it takes."""
    waiting, outcomes = list(requests), []
    while waiting:
        outcomes += gathering.answer(waiting.pop(0), lambda: waiting.pop(0) if waiting else None)
    return outcomes


def answer(steps, *requests):
    outcomes = gathered(Gathering(steps, print), requests)
    return [outcome.body.decode() if isinstance(outcome, Answer) else str(outcome) for outcome in outcomes]


def test_what_came_together_is_one_call_and_each_gets_its_own():
    steps = Steps()
    assert answer(steps, [1], [2, 3], [4]) == ["[2]", "[4, 6]", "[8]"]
    assert steps.calls == [4]


def test_one_alone_is_predicted_as_it_is():
    steps = Steps()
    assert answer(steps, [1]) == ["[2]"]
    assert answer(steps, "unreadable") == ["unreadable"]
    assert steps.calls == [1]


def test_a_request_that_cannot_be_read_or_written_is_its_own_fault():
    steps = Steps()
    assert answer(steps, [1], "unreadable", [13], [4]) == ["[2]", "unreadable", "KeyError: 'unlucky'", "[8]"]
    assert steps.calls == [3]


def test_only_the_guilty_fails_and_it_is_found_by_halves():
    def predict(rows):
        if 5 in rows:
            raise ValueError(f"5 among {len(rows)}")
        return [row * 2 for row in rows]

    steps = Steps(predict)
    found = answer(steps, *([number] for number in range(8)))
    assert found == ["[0]", "[2]", "[4]", "[6]", "[8]", "5 among 1", "[12]", "[14]"]
    assert steps.calls == [8, 4, 4, 2, 1, 1, 2]


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), MemoryError("much"), StopIteration()])
def test_whatever_it_raises_is_of_one_request(error):
    class Own(Steps):
        def predict(self, rows, prepared):
            return self.predict_together(rows)

    def predict(rows):
        if 5 in rows:
            raise error
        return rows

    found = answer(Own(predict), [1], [5], [7])
    assert (found[0], found[2]) == ("[1]", "[7]")
    assert found[1].startswith(type(error).__name__)


@pytest.mark.parametrize(
    ("predict", "told"),
    [
        (lambda rows: [len(rows)], "1 items in a list for 2 rows"),
        (lambda rows: (rows, rows), "2 items in a tuple for 2 rows"),
        (lambda rows: {"rows": rows, "more": 1}, "2 items in a dict"),
        (lambda _: 7, "a int for 2 rows"),
    ],
)
def test_a_script_that_is_not_row_by_row_is_found_out_and_answers_alone_from_then_on(predict, told):
    steps, messages = Steps(predict), []
    gathering = Gathering(steps, messages.append)
    for _ in range(2):
        outcomes = gathered(gathering, ([1], [2]))
        assert [outcome.body.decode() for outcome in outcomes] == [repr(predict([1])), repr(predict([2]))]
    assert steps.calls == [2, 1, 1, 1, 1]
    assert len(messages) == 1
    assert told in messages[0]


class Uncut(list):
    def __getitem__(self, place):
        raise KeyError(place)


def test_a_prediction_that_cannot_be_cut_is_asked_for_alone():
    steps = Steps(Uncut)
    assert answer(steps, [1], [2]) == ["[1]", "[2]"]
    assert steps.calls == [2, 1, 1]


def test_other_columns_or_types_are_calls_of_their_own():
    steps = Steps(lambda rows: [sorted(row) for row in rows])
    found = answer(steps, [{"a": 1}], [{"b": 1}], [{"a": 2}], [{"a": 1.5}], [{"a": 3}, {"b": 1}], [], [[1, [2]]])
    assert found == ["[['a']]", "[['b']]", "[['a']]", "[['a']]", "[['a'], ['b']]", "[]", found[6]]
    assert sorted(steps.calls) == [0, 1, 1, 1, 2, 2]


def test_a_call_has_so_many_rows_at_most(monkeypatch):
    monkeypatch.setattr(gather, "MOST_ROWS", 3)
    steps = Steps()
    answer(steps, [1, 2], [3, 4], [5], [6, 7, 8, 9], [0])
    assert sorted(steps.calls) == [1, 2, 3, 4]


class Watch:
    """A timer that a fake moves on."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def test_slow_calls_get_fewer_rows_and_quick_ones_more_again():
    watch, slow = Watch(), [9, 9]

    def predict(rows):
        watch.now += slow.pop() if slow else 0
        return rows

    steps = Steps(predict)
    gathering, found = Gathering(steps, print, watch), []
    for _ in range(4):
        gathered(gathering, [[1], [2], [3], [4]])
        found.append(steps.calls[sum(map(len, found)) :])
    assert found == [[4], [2, 1, 1], [4], [4]]


def test_a_slow_model_whose_calls_cost_the_same_for_any_rows_is_gathered_all_the_more():
    watch = Watch()

    def predict(rows):
        watch.now += 2
        return rows

    steps = Steps(predict)
    gathering = Gathering(steps, print, watch)
    gathered(gathering, [[1]])
    for _ in range(3):
        gathered(gathering, [[1], [2], [3], [4]])
    assert steps.calls == [1, 4, 4, 4]


def test_where_each_row_costs_as_much_gathering_gains_nothing_and_keeps_calls_short():
    watch = Watch()

    def predict(rows):
        watch.now += 2 * len(rows)
        return rows

    steps = Steps(predict)
    gathering = Gathering(steps, print, watch)
    gathered(gathering, [[1]])
    for _ in range(4):
        gathered(gathering, [[1], [2], [3], [4], [5], [6], [7], [8]])
    assert max(steps.calls[2:]) == 4


def test_calls_that_fail_get_fewer_rows_so_that_many_bad_requests_cost_little():
    def predict(rows):
        raise ValueError("always")

    steps = Steps(predict)
    gathering, found = Gathering(steps, print), []
    for _ in range(3):
        gathered(gathering, [[1], [2], [3], [4]])
        found.append(steps.calls[sum(map(len, found)) :])
    assert found == [[4, 2, 1, 1, 2, 1, 1], [1, 1, 1, 1], [1, 1, 1, 1]]


def test_large_bodies_are_not_all_read_at_once(monkeypatch):
    monkeypatch.setattr(gather, "MOST_BYTES", 100)
    steps = Steps()
    steps.row_bytes = 50
    assert answer(steps, [1, 2, 3], [4], [5], [6]) == ["[2, 4, 6]", "[8]", "[10]", "[12]"]
    assert steps.calls == [3, 2, 1]


def test_what_takes_long_to_read_keeps_nobody_waiting():
    watch = Watch()

    class Slow(Steps):
        def read(self, prepared):
            watch.now += 0.015
            return prepared

    steps = Slow()
    gathered(Gathering(steps, print, watch), [[1], [2], [3], [4], [5]])
    assert steps.calls == [3, 2]


VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3)
ROWS = st.lists(st.dictionaries(st.sampled_from("ab"), VALUES) | st.tuples(VALUES, VALUES), max_size=4)


@settings(deadline=None)  # no test asserts a duration
@given(st.lists(ROWS, min_size=1, max_size=6))
def test_a_frame_made_of_joined_rows_tells_nobody_that_they_were_joined(requests):
    """Its columns have the types that each request's own frame would have: else values would be others, too."""

    def predict(rows):
        frame = pd.DataFrame(rows)
        kinds = [f"{name} {dtype}" for name, dtype in frame.dtypes.items()]
        return [[*kinds, *map(repr, row)] for row in frame.itertuples(index=False, name=None)]

    alone = [answer(Steps(predict), rows)[0] for rows in requests]
    assert answer(Steps(predict), *requests) == alone
