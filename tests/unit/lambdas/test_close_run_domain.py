"""How a run ended from outside, and when somebody has to hear what it left."""

from __future__ import annotations

from typing import Any

import pytest

from close_run.domain import Ended, Left, Serving, message
from shared.run_id import run_id

EXECUTION = "arn:aws:states:eu-west-1:1:execution:mw-dev-penguins:one"
PREFIX = "dev-penguins-0123456789ab-"
MINE, OLD, NEXT = f"{PREFIX}00", "dev-penguins-aaaaaaaaaaaa-00", "dev-penguins-bbbbbbbbbbbb-00"
CHAMPION = {"run": "a" * 12, "release": "5" * 64, "endpoint_config": OLD}


def detail(status: str = "ABORTED") -> dict[str, Any]:
    """https://docs.aws.amazon.com/step-functions/latest/dg/cw-events.html"""
    return {
        "executionArn": EXECUTION,
        "stateMachineArn": "arn:aws:states:eu-west-1:1:stateMachine:mw-dev-penguins",
        "name": "one",
        "status": status,
        "startDate": 1551225014968,
        "stopDate": 1551225017576,
        "input": "{}",
        "output": None,
    }


@pytest.mark.parametrize(
    ("status", "expected"), [("ABORTED", "Stopped"), ("TIMED_OUT", "TimedOut"), ("FAILED", "Failed")]
)
def test_the_end_is_written_as_states_write_theirs(status: str, expected: str) -> None:
    ended = Ended.of(detail(status))
    assert (ended.status, ended.ended_at, ended.run) == (expected, "2019-02-26T23:50:17.576Z", run_id(EXECUTION))


def test_a_run_that_its_own_states_ended_is_none_of_ours() -> None:
    for status in ("SUCCEEDED", "RUNNING"):
        with pytest.raises(KeyError):
            Ended.of(detail(status))


def test_why_it_failed_is_kept_as_far_as_it_is_said() -> None:
    assert Ended.of(detail()).reason() == {}
    full = {**detail("FAILED"), "error": "States.Runtime", "cause": "x" * 32_768}
    assert Ended.of(full).reason() == {"error": "States.Runtime", "cause": "x" * 30_000}


def test_a_failed_run_that_its_states_saw_to_has_left_nothing() -> None:
    failed, stopped = Ended.of(detail("FAILED")), Ended.of(detail("ABORTED"))
    assert not failed.may_have_left({"status": "Failed"})
    assert failed.may_have_left({"status": "Failed", "closed_by": "close_run"})
    assert stopped.may_have_left({"status": "Stopped"})


def described(status: str, config: str, coming: str = "") -> dict[str, Any]:
    pending = {"PendingDeploymentSummary": {"EndpointConfigName": coming}} if coming else {}
    return {"EndpointStatus": status, "EndpointConfigName": config, **pending}


@pytest.mark.parametrize(
    ("description", "expected"),
    [
        (described("InService", MINE), MINE),
        (described("Creating", MINE), MINE),
        (described("Failed", MINE), MINE),
        (described("Updating", OLD, MINE), MINE),
        (described("Updating", MINE, NEXT), MINE),
        (described("Updating", MINE, OLD), None),
        (described("InService", OLD), None),
        (described("Updating", OLD, NEXT), None),
        (described("InService", "dev-penguins-0123456789abc-00"), None),
    ],
    ids=[
        "serves", "is made", "failed", "comes", "goes for the next", "goes for the champion", "the champion serves",
        "the next comes", "another name",
    ],
)  # fmt: skip
def test_a_model_of_the_run_is_left_when_it_serves_or_comes(description: dict[str, Any], expected: str | None) -> None:
    assert Serving.of(description).left_by(PREFIX, CHAMPION) == expected


def test_what_is_told_names_what_serves_and_the_way_back() -> None:
    left = Left(MINE, Serving.of(described("Updating", OLD, MINE)), CHAMPION)
    text = message("penguins", "mw-dev-penguins", Ended.of(detail()), left)
    lines = text.splitlines()
    assert [line.split(":")[0] for line in lines[1:]] == ["Endpoint", "Champion", "What to do", "Execution"]
    assert lines[0] == f"The run {run_id(EXECUTION)} of penguins was stopped after it had changed the endpoint."
    assert f"mw-dev-penguins (Updating) is being given the configuration {MINE}" in lines[1]
    assert OLD in lines[2]
    assert "modelwright run penguins" in lines[3]
    assert OLD in lines[3]


def test_without_a_champion_there_is_no_way_back() -> None:
    left = Left(MINE, Serving.of(described("InService", MINE)), None)
    text = message("penguins", "mw-dev-penguins", Ended.of(detail("TIMED_OUT")), left)
    assert "took too long and was ended" in text
    assert "(InService) has the configuration" in text
    assert "Champion: none" in text
    assert "or delete the endpoint" in text
