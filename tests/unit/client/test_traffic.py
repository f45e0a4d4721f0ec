"""A sender with a clock that its waits move: what it sends, counts and says."""

from __future__ import annotations

import threading

import pytest

from modelwright.cli.traffic_show import TrafficShow, _summary
from modelwright.client.endpoints.endpoint_traffic import Sample, Served, _refusal
from modelwright.client.endpoints.traffic import Outcome, Sender, Tally, parse_rate
from modelwright.errors import WrongUsage


@pytest.mark.parametrize(("text", "rate"), [("50rps", 50), ("0.5rps", 0.5), (" 500RPS ", 500)])
def test_rates(text, rate):
    assert parse_rate(text) == rate


@pytest.mark.parametrize(
    "text", ["50", "0rps", "0.0rps", "fast", "", "rps", "-5rps", "501rps", "5 rps", "1e3rps", "nanrps"]
)
def test_what_is_no_rate_says_what_is(text):
    with pytest.raises(WrongUsage) as caught:
        parse_rate(text)
    assert f"--traffic {text}" in caught.value.message
    assert "50rps" in caught.value.hint


class Answers:
    """Answers until so many were asked; then it lets the sender end."""

    def __init__(self, wanted, outcome=lambda number: Outcome("answered", "all")):
        self.wanted = wanted
        self.enough = threading.Event()
        self._outcome = outcome
        self._lock = threading.Lock()
        self._asked = 0

    def __call__(self):
        with self._lock:
            self._asked += 1
            number = self._asked
        if number >= self.wanted:
            self.enough.set()
        return self._outcome(number)


def sent(answers, is_there=lambda: True):
    found = Sender(answers, is_there, 500)
    found.start()
    assert answers.enough.wait(20)
    found.finish()
    return found.tally()


def test_every_request_is_counted_once():
    tally = sent(Answers(20))
    assert (tally.sent >= 20, tally.unanswered, tally.kinds["answered"]) == (True, 0, tally.sent)
    assert tally.variants["all"]["answered"] == tally.sent
    assert tally.percentile(0.5) <= tally.percentile(0.99)


def test_errors_are_answers_and_losses_are_not():
    def outcome(number):
        if number % 3 == 0:
            raise ConnectionError("gone")
        return Outcome("error", what="the model's 500") if number % 3 == 1 else Outcome("answered", "all")

    tally = sent(Answers(30, outcome))
    assert tally.kinds["lost"] == tally.losses["ConnectionError: gone"] >= 10
    assert tally.problems["the model's 500"] == tally.kinds["error"]
    assert len(tally.seconds) == tally.sent - tally.kinds["lost"]


def test_nothing_is_sent_before_somebody_is_there():
    looks = iter([False, False, True])
    tally = sent(Answers(1), lambda: next(looks))
    assert tally.sent >= 1


def test_a_sender_that_nobody_answers_ends_all_the_same():
    hangs = threading.Event()
    answers = Answers(1, lambda _: hangs.wait(60) and Outcome("answered"))
    found = Sender(answers, lambda: True, 500)
    found.start()
    assert answers.enough.wait(20)
    found.stop()
    assert found.tally().unanswered >= 1
    hangs.set()


def test_one_without_an_endpoint_ends_without_having_sent():
    found = Sender(Answers(1), lambda: False, 1)
    found.start()
    found.finish()
    assert (found.tally().sent, found.lasted) == (0, 0.0)
    assert list(_summary(found.tally(), [], 0.0)) == ["traffic: nothing was sent, no endpoint served"]


def test_the_sum_says_what_was_lost():
    tally = Tally(sent=10)
    for _ in range(8):
        tally.add(Outcome("answered", "all"), 0.002)
    tally.add(Outcome("error", what="the model's 500"), 0.004)
    tally.add(Outcome("lost", what="EndpointConnectionError"), 1.0)
    lines = list(_summary(tally, [Served("new", 3, 1)], 2.0))
    assert lines == [
        "traffic: 10 requests in 2 s (5 a second), 8 answered",
        "1 requests were lost (0 without any end), p50 2 ms, p99 4 ms",
        "errors: 1 times the model's 500",
        "lost: 1 times EndpointConnectionError",
        "the endpoint's own metrics, which count the smoke test and the copies that a shadow gets as well:",
        "  configuration new: 3 requests, 1 errors",
    ]


def test_a_latency_of_a_minute_is_written_out():
    tally = Tally(sent=1)
    tally.add(Outcome("error", what="the model's 504"), 60.0)
    assert list(_summary(tally, [], 60.0))[1] == "not one request was lost, p50 60000 ms, p99 60000 ms"


@pytest.mark.parametrize(
    ("response", "kind", "what"),
    [
        ({"Error": {"Code": "ModelError"}, "OriginalStatusCode": 500}, "error", "the model's 500"),
        ({"Error": {"Code": "ModelError"}, "OriginalStatusCode": 0}, "lost", "ModelError: "),
        ({"Error": {"Code": "ThrottlingException", "Message": "m"}}, "error", "ThrottlingException: m"),
        ({"Error": {"Code": "ServiceUnavailable", "Message": "m"}}, "lost", "ServiceUnavailable: m"),
        ({"Error": {"Code": "ValidationError", "Message": "not found"}}, "lost", "ValidationError: not found"),
    ],
)
def test_what_the_api_says_is_an_answer_or_a_loss(response, kind, what):
    assert _refusal(response) == Outcome(kind, what=what)


class EndedSender:
    """A sender of ten requests that has ended."""

    lasted = 1.0

    def finish(self):
        pass

    def tally(self):
        found = Tally(sent=10)
        for _ in range(10):
            found.add(Outcome("answered", "all"), 0.001)
        return found


def test_the_metrics_are_waited_for_until_they_have_counted_every_request():
    answers, pauses = iter([[], [Served("old", 4, 0)], [Served("new", 6, 0), Served("old", 4, 0)]]), []
    show = TrafficShow(EndedSender(), lambda: next(answers), 3.0, pauses.append)
    show.finish()
    assert [each["config"] for each in show.as_json()["configurations"]] == ["new", "old"]
    assert len(pauses) == 2


def test_metrics_that_never_come_are_not_waited_for_for_ever():
    pauses = []
    show = TrafficShow(EndedSender(), lambda: [Served("old", 4, 0)], 3.0, pauses.append)
    show.finish()
    assert (show.as_json()["configurations"][0]["requests"], len(pauses)) == (4, 20)


def test_what_is_shown_while_it_goes_on_is_short():
    assert TrafficShow(EndedSender(), list, 3.0).line() == "10 sent, 10 answered, p50 1 ms, p99 1 ms"


def test_a_sample_is_json_unless_it_says_otherwise():
    assert Sample(b"1", "text/csv").accept == "application/json"
