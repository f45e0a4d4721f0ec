"""Which endpoint has a model that nobody tested."""

from __future__ import annotations

from typing import Any

import pytest
from fake_aws import PENGUINS, Execution, FakeSession, StepFunctions, Story

from modelwright.client.endpoints.untested import UntestedRun, untested_run
from modelwright.client.runs.executions import run_id


def found(status: str, config: str | None = None, *states: str) -> tuple[Any, str]:
    story = Story()
    for name in states:
        story.enter("Task", name)
        story.leave("Task", name)
    one = Execution("one", story, status=status)
    run = run_id(one.arn)
    session = FakeSession(stepfunctions=StepFunctions(one))
    return untested_run(session, PENGUINS, "dev", config or f"dev-penguins-{run}-00"), run


@pytest.mark.parametrize(
    ("status", "how"), [("ABORTED", "was stopped"), ("TIMED_OUT", "took too long"), ("FAILED", "failed")]
)
def test_what_a_run_that_ended_early_left_is_named(status: str, how: str) -> None:
    left, run = found(status, None, "CreateEndpoint", "WatchEndpoint")
    assert left == UntestedRun(run, how)


def test_a_model_that_was_promoted_before_the_end_is_tested() -> None:
    assert found("ABORTED", None, "SmokeTest", "PromoteModel")[0] is None


def test_a_promotion_that_was_cut_off_may_have_been_written() -> None:
    story = Story()
    story.enter("Task", "SmokeTest")
    story.leave("Task", "SmokeTest")
    story.enter("Task", "PromoteModel")
    one = Execution("one", story, status="ABORTED")
    run = run_id(one.arn)
    session = FakeSession(stepfunctions=StepFunctions(one))
    left = untested_run(session, PENGUINS, "dev", f"dev-penguins-{run}-00")
    assert left == UntestedRun(run, "was stopped", perhaps_promoted=True)


@pytest.mark.parametrize("status", ["SUCCEEDED", "RUNNING"])
def test_a_run_that_ended_well_or_goes_on_is_none(status: str) -> None:
    assert found(status)[0] is None


@pytest.mark.parametrize("config", ["somebodys-own", "dev-penguins-0123456789ab-00", "dev-other-0123456789ab-00"])
def test_a_configuration_of_no_known_run_is_none(config: str) -> None:
    assert found("ABORTED", config)[0] is None
