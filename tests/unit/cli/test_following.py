"""Following a run: what is printed where, the exit code, and what Ctrl-C does."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fake_aws import Execution, FakeSession, StepFunctions, Story

from modelwright.cli.following import follow
from modelwright.client.runs.executions import run_id


def failed() -> Execution:
    story = Story()
    story.enter("Task", "TrainModel")
    story.schedule()
    why = {"error": "States.TaskFailed", "cause": '{"FailureReason": "AlgorithmError: exit 42"}'}
    story.event("TaskFailed", **why)
    story.event("ExecutionFailed", **why)
    return Execution("x", story, "FAILED", **why)


def well() -> Execution:
    story = Story()
    story.task("TrainModel")
    story.event("ExecutionSucceeded")
    return Execution("x", story, output={"status": "Deployed", "metrics": {"accuracy": 0.9}})


def followed(execution: Execution, *, as_json: bool) -> int:
    return follow(FakeSession(stepfunctions=StepFunctions(execution)), "penguins", execution.arn, as_json=as_json)


def test_a_run_that_goes_well(capsys: pytest.CaptureFixture[str]) -> None:
    one = well()
    assert followed(one, as_json=False) == 0
    assert capsys.readouterr() == (
        (
            "  ✓ TrainModel                4.00 s\n"
            f"Deployed  penguins run {run_id(one.arn)} in 12.50 s\n"
            "  accuracy 0.9\n"
        ),
        "",
    )


def test_a_run_that_fails_is_1_and_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    one = failed()
    assert followed(one, as_json=False) == 1
    name = run_id(one.arn)
    assert capsys.readouterr().out == (
        "  ✗ TrainModel                3.00 s  States.TaskFailed: AlgorithmError: exit 42\n"
        f"Failed  penguins run {name} in 12.50 s\n"
        "  States.TaskFailed: AlgorithmError: exit 42\n"
        f"  modelwright show {name}; modelwright logs {name}\n"
    )


@pytest.mark.parametrize(("execution", "status", "code"), [(well(), "Deployed", 0), (failed(), "Failed", 1)])
def test_json_is_one_document_on_standard_output_whatever_became_of_it(
    capsys: pytest.CaptureFixture[str], execution: Execution, status: str, code: int
) -> None:
    assert followed(execution, as_json=True) == code
    out, err = capsys.readouterr()
    assert json.loads(out)["status"] == status
    assert "TrainModel" in err


class Interrupted(StepFunctions):
    """Ctrl-C comes in the middle of the first look."""

    def get_execution_history(self, **request: Any) -> dict[str, Any]:
        if not self.history_calls:
            self.history_calls = 1
            raise KeyboardInterrupt
        return super().get_execution_history(**request)


@pytest.mark.parametrize("as_json", [False, True])
def test_ctrl_c_stops_the_run_and_says_how_it_ended(capsys: pytest.CaptureFixture[str], *, as_json: bool) -> None:
    one = well()
    one.shown = 3
    machine = Interrupted(one)
    with pytest.raises(KeyboardInterrupt):
        follow(FakeSession(stepfunctions=machine), "penguins", one.arn, as_json=as_json)
    assert machine.stopped == [(one.arn, "Ctrl-C")]
    name = run_id(one.arn)
    out, err = capsys.readouterr()
    stopping, stopped = (
        f"stopping penguins run {name}; Ctrl-C again to leave at once\n",
        "  ■ TrainModel                2.00 s\n",
    )
    assert err == stopping + (stopped if as_json else "")
    if as_json:
        assert json.loads(out)["status"] == "Stopped"
    else:
        assert out == (
            f"{stopped}Stopped  penguins run {name} in 12.50 s\n"
            "  Stopped: Ctrl-C\n"
            f"  modelwright show {name}; modelwright logs {name}\n"
        )
