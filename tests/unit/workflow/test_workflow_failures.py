"""A run that fails says so and why; one that got no machine tries again."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from workflow_answers import (
    Answers,
    described,
)
from workflow_paths import OLD, arguments, payload, walk
from workflow_walk import EXECUTION, RUN, TaskError

from modelwright.workflow.definition import definition
from modelwright.workflow.structure import WorkflowStructure

TASKS_THAT_FAIL_THE_RUN = [
    name
    for name, state in definition(WorkflowStructure("penguins"))["States"].items()
    if state["Type"] == "Task" and state.get("Catch", [{}])[0].get("Assign", {}).get("failure")
]


@pytest.mark.parametrize("state", TASKS_THAT_FAIL_THE_RUN)
def test_a_failure_anywhere_ends_with_its_own_error_after_record_and_message(state: str) -> None:
    changes: dict[str, Any] = {state: TaskError("SomeError", 'a "quote", a \\ and {a brace')}
    if state in {"InspectAlarms", "UpdateEndpoint"}:
        changes["InspectEndpoint"] = described("InService", OLD)
    if state == "DeleteFailedEndpoint":
        changes["InspectEndpoint"] = described("Failed", OLD)
    if state == "MarkRunRejected":
        changes["CheckQualityGate"] = payload(passed=False, clauses=[])
    if state == "MarkRunSuperseded":
        changes["AcquireDeployment"] = payload(status="Superseded", champion="ffffffffffff")
    done = walk(**changes)

    assert done.failure == ("SomeError", f'{state}: a "quote", a \\ and {{a brace')
    assert done.path[-3:] == ["MarkRunFailed", "NotifyFailure", "FailRun"]
    assert ("RestoreEndpoint" in done.path) == (state in {
        "CreateEndpoint", "UpdateEndpoint", "WatchEndpoint", "SmokeTest", "PromoteModel"
    })  # fmt: skip


def test_the_failure_of_the_very_first_state_is_recorded_under_the_run() -> None:
    done = walk(PrepareRun=TaskError("ReleaseNotFound", json.dumps({"errorMessage": "there is no release x."})))

    assert done.failure == ("ReleaseNotFound", "PrepareRun: there is no release x.")
    marked = arguments(done, "MarkRunFailed")
    assert marked["Key"] == {"pk": {"S": "PIPELINE#penguins"}, "sk": {"S": f"RUN#{RUN}"}}
    assert marked["ExpressionAttributeValues"][":execution"] == {"S": EXECUTION}


def test_a_failed_job_is_told_by_its_failure_reason() -> None:
    cause = json.dumps({"TrainingJobName": "x", "FailureReason": 'AlgorithmError: KeyError: "C:\\x"'})
    done = walk(TrainModel=TaskError("States.TaskFailed", cause))

    assert done.failure == ("States.TaskFailed", 'TrainModel: AlgorithmError: KeyError: "C:\\x"')


def test_a_timeout_has_no_cause_and_fails_all_the_same() -> None:
    done = walk(TrainModel=TaskError("States.Timeout", None))

    assert done.failure == ("States.Timeout", "TrainModel: no cause was given")


def lack_of_machines() -> TaskError:
    reason = "CapacityError: Unable to provision requested ML compute capacity."
    return TaskError("States.TaskFailed", json.dumps({"FailureReason": reason}, separators=(",", ":")))


@pytest.mark.parametrize("state", ["ProcessData", "TrainModel", "EvaluateModel"])
def test_a_job_without_machines_is_tried_again_under_another_name(state: str) -> None:
    done = walk(**{state: [lack_of_machines(), lack_of_machines(), Answers().table[state]]})

    names = [given.get("ProcessingJobName") or given["TrainingJobName"] for name, given in done.asked if name == state]
    assert len(set(names)) == 3
    assert done.waits == [60, 120]
    assert done.output["status"] == "Deployed"


def over_quota(quota: int, used: int) -> TaskError:
    cause = (
        f"The account-level service limit 'ml.m5.large for training job usage' is {quota} Instances, with current "
        f"utilization of {used} Instances and a request delta of 1 Instances. (Service: AmazonSageMaker; Status Code: "
        "400; Error Code: ResourceLimitExceeded)"
    )
    return TaskError("SageMaker.AmazonSageMakerException", cause)


def test_a_quota_that_others_use_up_is_waited_for() -> None:
    done = walk(TrainModel=[over_quota(2, 2), Answers().table["TrainModel"]])
    assert done.waits == [60]
    assert done.output["status"] == "Deployed"


def test_a_quota_of_nothing_is_not_waited_for() -> None:
    done = walk(TrainModel=over_quota(0, 0))
    assert done.waits == []
    assert done.failure is not None
    assert "ml.m5.large for training job usage" in done.failure[1]


def test_machines_that_never_come_fail_the_run() -> None:
    done = walk(TrainModel=lack_of_machines())

    assert done.waits == [60, 120, 240, 480]
    assert done.failure is not None
    assert done.failure[1].startswith("TrainModel: CapacityError")


def test_a_script_that_says_capacity_error_itself_is_not_tried_again() -> None:
    cause = json.dumps({"FailureReason": "AlgorithmError: CapacityError: queue full"}, separators=(",", ":"))
    assert walk(TrainModel=TaskError("States.TaskFailed", cause)).waits == []


@given(st.text(max_size=200))
def test_any_text_passes_through_as_a_cause(cause: str) -> None:
    done = walk(EvaluateModel=TaskError("E", cause))

    assert done.failure is not None
    assert done.path[-3:] == ["MarkRunFailed", "NotifyFailure", "FailRun"]
    try:
        parsed = json.loads(cause)
    except ValueError:
        parsed = None
    if not isinstance(parsed, dict):
        assert done.failure == ("E", f"EvaluateModel: {cause}")
