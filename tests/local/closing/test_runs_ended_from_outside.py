"""A person stops a run, or it takes too long: what the table says then, who holds the lease, who is told what."""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from pipeline_before import absent, serving
from pipeline_scripts import SCRIPTS

from modelwright.client.runs.executions import describe, executions, run_id
from modelwright.local.calls.direct import Direct

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pipeline_stage import Stage

_WAITS = """
import os, pathlib, time
if "MODELWRIGHT_WORKERS" not in os.environ:
    raise RuntimeError("cannot be compiled, so that this script serves")
while not pathlib.Path({path!r}).exists():
    time.sleep(0.01)
"""


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    """A model that is loaded only when this file is there."""
    return tmp_path / "gate"


@pytest.fixture
def reluctant(stage: Stage, gate: Path, tmp_path: Path) -> str:
    return stage._publish(
        tmp_path / "release", {"inference.py": _WAITS.format(path=str(gate)) + SCRIPTS["inference.py"]}
    )


def stop(stage: Stage, arn: str) -> None:
    stage.client("stepfunctions").stop_execution(executionArn=arn, error="Stopped", cause="a person did")


def item(stage: Stage, arn: str) -> dict[str, Any]:
    return stage._item("PIPELINE#penguins", f"RUN#{run_id(arn)}")


def lease(stage: Stage) -> dict[str, Any]:
    return stage._item(f"ENDPOINT#{stage.deployment.endpoint_name}", "LEASE")


def messages(stage: Stage) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = stage.topics.messages()
    return [each for each in found if each["subject"] == "penguins: an untested model serves"]


def stopped_in_training(stage: Stage) -> str:
    arn = stage.start("slow_train")
    stage.wait_for_events(arn, "TaskSubmitted", 2)
    stop(stage, arn)
    return arn


def stopped_in_deployment(stage: Stage, release: str) -> str:
    """Stop a run whose model is being loaded."""
    arn = stage.start(release)
    name, until = stage.deployment.endpoint_name, time.monotonic() + 60
    while True:  # what is waited for is another process's doing, which tells nobody
        found = stage.client("sagemaker").list_endpoints(NameContains=name)["Endpoints"]
        if [each["EndpointStatus"] for each in found] in (["Updating"], ["Creating"]):
            break
        assert time.monotonic() < until, found
        time.sleep(0.01)
    assert lease(stage)["execution"] == arn
    stop(stage, arn)
    return arn


def test_a_run_that_is_stopped_in_training_is_stopped_everywhere(stage: Stage) -> None:
    told = stage.told()
    arn = stopped_in_training(stage)
    assert describe(stage.session, "penguins", arn).outcome == "Stopped"
    found = item(stage, arn)
    assert (found["status"], found["execution"]) == ("Stopped", arn)
    assert found["ended_at"] > found["started_at"]
    assert found["ended_at"].endswith("Z")
    assert "execution" not in lease(stage)
    assert stage.told() == told


def test_stopped_again_or_told_again_nothing_changes(stage: Stage) -> None:
    arn = stopped_in_training(stage)
    before, told = item(stage, arn), stage.told()
    stop(stage, arn)
    stage.tell_ended(arn, stopDate=1999999999999)
    assert (item(stage, arn), stage.told()) == (before, told)


def test_an_update_that_nobody_tested_is_told_and_the_lease_is_free(stage: Stage, reluctant: str, gate: Path) -> None:
    serving(stage)
    champion = stage.run("good")
    assert champion.outcome == "Deployed"
    before, old = len(messages(stage)), stage.config()
    arn = stopped_in_deployment(stage, reluctant)
    (message,) = messages(stage)[before:]
    lines = message["message"].splitlines()
    mine = f"dev-penguins-{run_id(arn)}-00"
    assert f"mw-dev-penguins (Updating) is being given the configuration {mine} of that run" in lines[1]
    assert lines[2].startswith(f"Champion: run {old.split('-')[-2]}, release ")
    assert lines[3].startswith("What to do: check out the champion's commit")
    assert old in lines[3]
    assert item(stage, arn)["untested"] == mine
    assert "execution" not in lease(stage)
    gate.touch()
    stage.settled()
    assert stage.config() == mine
    stage.tell_ended(arn, stopDate=1999999999999)
    assert len(messages(stage)) == before + 1
    _restore_as_told(stage, old)


def _restore_as_told(stage: Stage, old: str) -> None:
    """Both ways back that the message names lead there."""
    name = stage.deployment.endpoint_name
    stage.client("sagemaker").update_endpoint(EndpointName=name, EndpointConfigName=old)
    stage.settled()
    assert stage.config() == old
    assert stage.run("good").outcome == "Deployed"


def test_a_first_deployment_that_nobody_tested_is_told_too(stage: Stage, reluctant: str, gate: Path) -> None:
    absent(stage)
    before = len(messages(stage))
    arn = stopped_in_deployment(stage, reluctant)
    (message,) = messages(stage)[before:]
    assert "Champion: none" in message["message"]
    gate.touch()
    stage.settled()
    assert run_id(arn) in stage.config()
    absent(stage)


def test_an_execution_that_takes_too_long_is_timed_out_everywhere(stage: Stage) -> None:
    with hurried_machine(stage):
        arn = stage.start("slow_process")
        assert stage.ended(arn)["status"] == "TIMED_OUT"
    assert describe(stage.session, "penguins", arn).outcome == "TimedOut"
    assert item(stage, arn)["status"] == "TimedOut"


@contextmanager
def hurried_machine(stage: Stage) -> Iterator[None]:
    """The machine is given a second instead of hours: nothing else of it is changed."""
    client, machine = Direct(stage.cloud, "stepfunctions"), stage.deployment.state_machine_arn
    found = client.describe_state_machine(stateMachineArn=machine)
    definition, role = found["definition"], found["roleArn"]
    hurried = json.dumps({**json.loads(definition), "TimeoutSeconds": 1})
    client.update_state_machine(stateMachineArn=machine, definition=hurried, roleArn=role)
    try:
        yield
    finally:
        client.update_state_machine(stateMachineArn=machine, definition=definition, roleArn=role)


def test_runs_that_end_well_do_not_call_the_function(stage: Stage) -> None:
    absent(stage)
    group = stage.physical("CloseRunLog")
    assert group in _logged(stage, lambda: stopped_in_training(stage))
    for release in ("good", "strict"):
        assert group not in stage.run(release).logged


def test_runs_that_their_states_saw_fail_are_left_as_they_are(stage: Stage) -> None:
    group = stage.physical("CloseRunLog")
    for release in ("mute", "silent"):
        told, arns = len(messages(stage)), []
        logged = _logged(stage, lambda release=release, arns=arns: arns.append(stage.ended(stage.start(release))))
        found = item(stage, arns[0]["executionArn"])
        assert (group in logged, found["status"], "closed_by" in found) == (True, "Failed", False)
        assert found["failed_state"]
        assert len(messages(stage)) == told


def test_a_run_that_fails_past_its_states_is_failed_everywhere(stage: Stage) -> None:
    arn = stage.start("slow_train")
    stage.wait_for_events(arn, "TaskSubmitted", 2)
    stage.tell_ended(arn, status="FAILED", stopDate=1999999999999, error="States.Runtime", cause="the cause")
    found = item(stage, arn)
    assert (found["status"], found["error"], found["cause"]) == ("Failed", "States.Runtime", "the cause")
    assert "execution" not in lease(stage)
    stop(stage, arn)
    assert item(stage, arn) == found


def _logged(stage: Stage, act: Any) -> set[str]:
    stage.watch()
    act()
    return set(stage._logged)


def test_a_merge_again_after_its_run_was_stopped_is_run(stage: Stage) -> None:
    first = _merge(stage, "slow_train")
    assert item(stage, first)["status"] == "Stopped"
    again = _merge(stage, "slow_train")
    assert item(stage, again)["status"] == "Stopped"
    statuses = [each["status"] for each, _ in zip(executions(stage.session, stage.deployment), range(2), strict=False)]
    assert statuses == ["ABORTED", "ABORTED"]  # none of them found the other and was Unchanged


def _merge(stage: Stage, release: str) -> str:
    arn = stage.start(release, trigger={"kind": "merge", "id": str(time.monotonic_ns()), "commit": "e" * 40})
    stage.wait_for_events(arn, "TaskSubmitted", 2)
    stop(stage, arn)
    return arn
