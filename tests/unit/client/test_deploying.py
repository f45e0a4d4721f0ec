"""What a deploy says when CloudFormation refuses: the cause, not its echoes, and the next step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from fake_account import ACCOUNT, FakeAccount, Refusal
from fake_cdk import fake_cdk

from modelwright.client.cdk import Request
from modelwright.client.deploys import deploying
from modelwright.client.deploys.stack_failures import latest_events, why
from modelwright.config import load_project
from modelwright.errors import DeployFailed

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from modelwright.config import Project

STACK = "mw-dev-penguins"
ID = f"arn:aws:cloudformation:eu-central-1:{ACCOUNT}:stack/{STACK}/1"
WHEN = "2026-11-20T00:00:00Z"


def event(logical_id: str, status: str, reason: str = "", kind: str = "AWS::IAM::Role") -> dict[str, Any]:
    physical = ID if logical_id == STACK else f"physical-{logical_id}"
    said = {"ResourceStatusReason": reason} if reason else {}
    return {
        "StackId": ID,
        "EventId": f"{logical_id}-{status}",
        "StackName": STACK,
        "LogicalResourceId": logical_id,
        "PhysicalResourceId": physical,
        "ResourceType": kind,
        "Timestamp": WHEN,
        "ResourceStatus": status,
        **said,
    }


STORY = [  # newest first, as AWS tells it
    event(STACK, "UPDATE_ROLLBACK_COMPLETE"),
    event(STACK, "UPDATE_ROLLBACK_IN_PROGRESS", "The following resource(s) failed to update: [Role, Machine]."),
    event("Machine", "UPDATE_FAILED", "Resource update cancelled", "AWS::StepFunctions::StateMachine"),
    event("Role", "UPDATE_FAILED", "Policy document should not specify\n  a principal."),
    event("Role", "UPDATE_IN_PROGRESS"),
    event(STACK, "UPDATE_IN_PROGRESS", "User Initiated"),
    event(STACK, "CREATE_FAILED", "that was long ago"),
]


def account(status: str, events: list[dict[str, Any]]) -> FakeAccount:
    def describe(params: Mapping[str, Any]) -> Any:
        if params["StackName"] != STACK:
            return Refusal("ValidationError", f"Stack with id {params['StackName']} does not exist")
        return {"Stacks": [{"StackName": STACK, "StackStatus": status, "CreationTime": WHEN}]}

    half = len(events) // 2

    def pages(params: Mapping[str, Any]) -> dict[str, Any]:
        if params.get("NextToken"):
            return {"StackEvents": events[half:]}
        return {"StackEvents": events[:half], "NextToken": "more"}

    return FakeAccount({"cloudformation:DescribeStacks": describe, "cloudformation:DescribeStackEvents": pages})


def test_the_cause_is_said_and_not_what_followed_from_it() -> None:
    found = why(account("UPDATE_ROLLBACK_COMPLETE", STORY).session(), "dev", ["mw-dev-data", STACK])  # type: ignore[arg-type]
    assert str(found) == (
        "The stack mw-dev-penguins is UPDATE_ROLLBACK_COMPLETE: Role (AWS::IAM::Role): Policy document should not "
        "specify a principal.\n"
        "It was rolled back to what it was. Put that right, then deploy again."
    )


def test_a_stack_that_could_not_be_rolled_back_has_its_own_next_step() -> None:
    found = why(account("UPDATE_ROLLBACK_FAILED", STORY).session(), "dev", [STACK])  # type: ignore[arg-type]
    assert "`aws cloudformation continue-update-rollback --stack-name mw-dev-penguins`" in str(found)


def test_somebody_elses_deploy_that_came_between_is_said() -> None:
    events = [event("Role", "UPDATE_IN_PROGRESS"), event(STACK, "UPDATE_IN_PROGRESS", "User Initiated")]
    found = why(account("UPDATE_IN_PROGRESS", events).session(), "dev", [STACK])  # type: ignore[arg-type]
    assert str(found) == (
        "The stack mw-dev-penguins is UPDATE_IN_PROGRESS: another deploy or removal of it is under way.\n"
        "Wait (`aws cloudformation describe-stacks --stack-name mw-dev-penguins`), then run the same command again."
    )


def test_stacks_that_are_well_have_no_reason() -> None:
    events = [event(STACK, "UPDATE_COMPLETE"), event(STACK, "UPDATE_IN_PROGRESS", "User Initiated"), *STORY]
    assert why(account("UPDATE_COMPLETE", events).session(), "dev", [STACK]) is None  # type: ignore[arg-type]


def test_a_failure_of_an_earlier_deploy_is_not_this_ones() -> None:
    session: Any = account("UPDATE_ROLLBACK_COMPLETE", STORY).session()
    before = latest_events(session, ["mw-dev-data", STACK])
    assert before == {STACK: STORY[0]["EventId"]}
    assert why(session, "dev", [STACK], before) is None


@pytest.fixture
def project(tmp_path: Path) -> Project:
    from dataclasses import replace  # noqa: PLC0415
    from pathlib import Path  # noqa: PLC0415

    return replace(load_project(Path(__file__).parents[3], "dev"), root=tmp_path)


def test_stacks_of_all_pipelines_each_once_the_shared_one_first(project: Project, tmp_path: Path) -> None:
    request = deploying.request_for(project, ["penguins", "rents"], tmp_path)
    assert request.stacks == ("mw-dev-data", "mw-dev-penguins-data", STACK, "mw-dev-rents-data", "mw-dev-rents")


def test_the_outputs_of_a_deploy(project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_cdk(tmp_path, monkeypatch, outputs={STACK: {"EndpointName": STACK}})
    request = Request(tmp_path, (STACK,), "eu-central-1")
    session: Any = account("CREATE_COMPLETE", []).session()
    result = deploying.deploy_stacks(project, session, request, tmp_path, ask=False)
    assert result.outputs == {STACK: {"EndpointName": STACK}}


def test_a_deploy_that_failed_before_any_stack_was_touched(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_cdk(tmp_path, monkeypatch, code=1)
    session: Any = account("CREATE_COMPLETE", [event(STACK, "CREATE_IN_PROGRESS")]).session()
    with pytest.raises(DeployFailed) as found:
        deploying.deploy_stacks(project, session, Request(tmp_path, (STACK,), "eu-central-1"), tmp_path, ask=False)
    assert str(found.value).startswith("The CDK command line ended with 1 and no stack has failed:")
