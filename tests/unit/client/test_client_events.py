"""Sending events, and the executions that they start."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from fake_aws import PENGUINS, START, Execution, FakeSession, Pauses, StepFunctions, Story

from modelwright.client.runs.events import PATIENCE_SECONDS, published_by, send_merge, started_by
from modelwright.errors import EventRefused


class Bus:
    def __init__(self, answer: dict[str, Any]) -> None:
        self.answer = answer
        self.entries: list[dict[str, Any]] = []

    def put_events(self, **request: Any) -> dict[str, Any]:
        self.entries += request["Entries"]
        return {"Entries": [self.answer]}


def test_a_merge_is_announced_in_the_agreed_form() -> None:
    bus = Bus({"EventId": "e-1"})
    found = send_merge(FakeSession(events=bus), PENGUINS, branch="main", commit="c" * 40, release="r" * 64)
    assert found == "e-1"
    (entry,) = bus.entries
    assert (entry["EventBusName"], entry["Source"], entry["DetailType"]) == ("mw-dev", "modelwright", "Merge")
    assert json.loads(entry["Detail"]) == {
        "pipeline": "penguins",
        "branch": "main",
        "commit": "c" * 40,
        "release": "r" * 64,
    }


def test_an_event_that_the_bus_did_not_take_is_an_error_though_the_answer_is_200() -> None:
    bus = Bus({"ErrorCode": "InternalFailure", "ErrorMessage": "try again"})
    with pytest.raises(EventRefused, match=r"^The bus mw-dev refused the event: InternalFailure: try again$"):
        send_merge(FakeSession(events=bus), PENGUINS, branch="main", commit="c", release="r")


def test_the_execution_that_an_event_started_is_found_by_its_name() -> None:
    machine = StepFunctions(Execution("older", Story(), started=START - timedelta(days=1)))

    class Later(Pauses):
        def __call__(self, seconds: float) -> None:
            super().__call__(seconds)
            if len(self.lengths) == 2:
                machine.start_execution(name="e-1_77", input="{}")

    pauses = Later()
    found = started_by(FakeSession(stepfunctions=machine), PENGUINS, "e-1", pauses)
    assert found.endswith(":e-1_77")
    assert len(pauses.lengths) == 2


@pytest.mark.parametrize(
    ("is_local", "hint"),
    [
        (True, "`modelwright inbox` shows dead letters."),
        (False, "Is the rule on mw-dev off, or is the event in the dead-letter queue?"),
    ],
)
def test_an_event_that_starts_nothing(*, is_local: bool, hint: str) -> None:
    pauses = Pauses()
    with pytest.raises(EventRefused) as error:
        started_by(FakeSession(stepfunctions=StepFunctions(), is_local=is_local), PENGUINS, "e-1", pauses)
    assert str(error.value) == f"The event e-1 started no execution within 60 s.\n{hint}"
    assert sum(pauses.lengths) == pytest.approx(PATIENCE_SECONDS)


def pushed(push: str) -> str:
    trigger = {"kind": "merge", "id": push, "commit": "c" * 40}
    return json.dumps({"schema": 1, "pipeline": "penguins", "release": "r" * 64, "trigger": trigger})


def test_the_execution_of_a_push_is_found_by_the_push_in_its_input() -> None:
    machine = StepFunctions(Execution("older", Story(), started=START - timedelta(days=1)))

    class Later(Pauses):
        def __call__(self, seconds: float) -> None:
            super().__call__(seconds)
            if len(self.lengths) == 2:
                machine.start_execution(name="another_1", input=pushed("p-0"))
                machine.start_execution(name="whatever_2", input=pushed("p-1"))

    pauses = Later()
    found = published_by(FakeSession(stepfunctions=machine), PENGUINS, "p-1", lambda: None, pauses)
    assert found.endswith(":whatever_2")
    assert len(pauses.lengths) == 2


def test_a_push_that_is_refused_is_not_waited_for() -> None:
    pauses = Pauses()
    told = iter([None, "train.py is missing."])
    with pytest.raises(EventRefused, match=r"^train\.py is missing\.$"):
        published_by(FakeSession(stepfunctions=StepFunctions()), PENGUINS, "p-1", lambda: next(told), pauses)
    assert len(pauses.lengths) == 1


def test_a_push_that_leads_to_nothing() -> None:
    pauses = Pauses()
    with pytest.raises(EventRefused, match=r"^The push p-1 started no execution within 60 s\."):
        published_by(FakeSession(stepfunctions=StepFunctions()), PENGUINS, "p-1", lambda: None, pauses)
    assert sum(pauses.lengths) == pytest.approx(PATIENCE_SECONDS)
