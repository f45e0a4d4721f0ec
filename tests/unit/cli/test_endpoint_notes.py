"""What `status` says of an endpoint: Failed, forgotten by its settings, with a model that nobody tested."""

from __future__ import annotations

from typing import Any

import pytest
from fake_aws import PENGUINS, Execution, FakeSession, StepFunctions, Story, refused

from modelwright.cli.endpoint_notes import endpoint_notes
from modelwright.client.runs.executions import run_id


class Endpoints:
    """SageMaker with one endpoint, or none."""

    def __init__(self, **found: str) -> None:
        self.found = found

    def describe_endpoint(self, **_: Any) -> dict[str, Any]:
        if not self.found:
            raise refused("ValidationException", "Could not find endpoint")
        return dict(self.found)


def execution(*states: str, cut_off: str = "") -> Execution:
    story = Story()
    for name in states:
        story.enter("Task", name)
        story.leave("Task", name)
    if cut_off:
        story.enter("Task", cut_off)
    return Execution("one", story, status="ABORTED")


def notes(endpoints: Endpoints, kind: str = "realtime", *, ran: Execution | None = None) -> list[str]:
    session: Any = FakeSession(sagemaker=endpoints, stepfunctions=StepFunctions(ran or execution()))
    return list(endpoint_notes(session, PENGUINS, "dev", kind))


def test_an_endpoint_that_serves_and_one_that_is_not_there_need_no_word() -> None:
    assert notes(Endpoints(EndpointStatus="InService", EndpointConfigName="dev-penguins-0123456789ab-00")) == []
    assert notes(Endpoints()) == notes(Endpoints(), "none") == []


@pytest.mark.parametrize(
    ("more", "why"),
    [({"FailureReason": "No module named torch."}, "No module named torch."), ({}, "SageMaker gives no reason.")],
)
def test_a_failed_one_says_why(more: dict[str, str], why: str) -> None:
    assert notes(Endpoints(EndpointStatus="Failed", **more)) == [f"The endpoint of penguins is Failed: {why}"]


def test_one_that_the_settings_know_no_more_is_told_with_what_takes_it_away() -> None:
    said = (
        "The endpoint of penguins is still there (on AWS it costs on), though the settings say endpoint: none, and no "
        "run sees to it: write there what it was, or `modelwright destroy penguins`, which keeps what was trained."
    )
    serves = Endpoints(EndpointStatus="InService", EndpointConfigName="dev-penguins-0123456789ab-00")
    assert notes(serves, "none") == [said]


@pytest.mark.parametrize(
    ("cut_off", "said"),
    [("SmokeTest", "it was not promoted"), ("PromoteModel", "perhaps it was promoted, perhaps not")],
)
def test_a_model_of_a_run_that_was_stopped_is_told(cut_off: str, said: str) -> None:
    ran = execution("CreateEndpoint", cut_off=cut_off)
    run = run_id(ran.arn)
    serves = Endpoints(EndpointStatus="InService", EndpointConfigName=f"dev-penguins-{run}-00")
    note = (
        f"The endpoint of penguins has the model of run {run}, which was stopped: {said}. "
        f"`modelwright show {run}`; `modelwright run penguins` deploys one that is tested."
    )
    assert notes(serves, ran=ran) == [note]
