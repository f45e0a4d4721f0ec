"""History events as Step Functions writes them, and what they say of each state."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from fake_aws import START, Story

from modelwright.client.runs.history import History, StateRun, reason
from modelwright.errors import StateNotFound


def told(story: Story) -> History:
    history = History()
    history.add(story.events)
    return history


def in_words(state: StateRun) -> tuple[str, str, int, str]:
    return state.name, state.status, state.attempts, state.error


def test_a_run_that_goes_well() -> None:
    story = Story()
    story.enter("Task", "TrainModel", {"job": "train"})
    story.schedule(TrainingJobName="penguins-train-0")
    story.event("TaskStarted")
    story.event("TaskSubmitted", output="{}")
    story.event("TaskSucceeded", output="{}")
    story.leave("Task", "TrainModel", {"model": "s3://a/model.tar.gz"})
    story.enter("Succeed", "ReportDeployed")
    story.leave("Succeed", "ReportDeployed")
    story.event("ExecutionSucceeded", output="{}")
    history = told(story)
    train, report = history.states
    assert in_words(train) == ("TrainModel", "succeeded", 1, "")
    assert train.resource == "sagemaker:createTrainingJob.sync"
    assert train.parameters == {"TrainingJobName": "penguins-train-0"}
    assert train.input == {"job": "train"}
    assert train.output == {"model": "s3://a/model.tar.gz"}
    assert train.seconds == 5.0
    assert in_words(report) == ("ReportDeployed", "succeeded", 0, "")
    assert history.ended
    assert (history.error, history.running) == ("", [])


def test_a_retry_that_helps_leaves_no_error_and_all_requests() -> None:
    story = Story()
    story.enter("Task", "TrainModel")
    story.schedule(TrainingJobName="penguins-train-0")
    story.event("TaskFailed", error="SageMaker.AmazonSageMakerException", cause="Rate exceeded")
    story.schedule(TrainingJobName="penguins-train-1")
    story.event("TaskSucceeded", output="{}")
    story.leave("Task", "TrainModel")
    (state,) = told(story).states
    assert in_words(state) == ("TrainModel", "succeeded", 2, "")
    assert [request["TrainingJobName"] for request in state.requests] == ["penguins-train-0", "penguins-train-1"]


def test_a_state_that_waits_for_its_next_attempt_is_running() -> None:
    story = Story()
    story.enter("Task", "TrainModel")
    story.schedule()
    story.event("TaskFailed", error="SageMaker.AmazonSageMakerException", cause="Rate exceeded")
    history = told(story)
    assert [in_words(state) for state in history.running] == [
        ("TrainModel", "running", 1, "SageMaker.AmazonSageMakerException")
    ]


def test_a_failure_that_is_caught_and_the_end_that_it_leads_to() -> None:
    job = {"TrainingJobStatus": "Failed", "FailureReason": "AlgorithmError: ExecuteUserScriptError:\nExitCode 42"}
    story = Story()
    story.enter("Task", "TrainModel")
    story.schedule(TrainingJobName="penguins-train-0")
    story.event("TaskSubmitted", output="{}")
    story.event("TaskFailed", error="States.TaskFailed", cause=json.dumps(job))
    story.leave("Task", "TrainModel", {"failed": "TrainModel"})
    story.task("MarkRunFailed")
    story.enter("Fail", "FailRun")
    story.event("ExecutionFailed", error="States.TaskFailed", cause="TrainModel: AlgorithmError")
    history = told(story)
    assert [in_words(state) for state in history.states] == [
        ("TrainModel", "caught", 1, "States.TaskFailed"),
        ("MarkRunFailed", "succeeded", 1, ""),
        ("FailRun", "failed", 0, "States.TaskFailed"),
    ]
    assert reason(history.states[0].cause) == "AlgorithmError: ExecuteUserScriptError:\nExitCode 42"
    assert (history.error, history.cause) == ("States.TaskFailed", "TrainModel: AlgorithmError")
    assert history.ended


def test_a_failure_that_nobody_catches_belongs_to_its_state() -> None:
    story = Story()
    story.enter("Task", "CheckQualityGate")
    story.schedule("invoke", FunctionName="gate")
    cause = json.dumps({"errorMessage": "no metric accuracy", "errorType": "MetricMissing"})
    story.event("TaskFailed", error="MetricMissing", cause=cause)
    story.event("ExecutionFailed", error="MetricMissing", cause=cause)
    (state,) = told(story).states
    assert in_words(state) == ("CheckQualityGate", "failed", 1, "MetricMissing")
    assert reason(state.cause) == "no metric accuracy"


def test_a_task_that_takes_too_long() -> None:
    story = Story()
    story.enter("Task", "TrainModel")
    story.schedule()
    story.event("TaskTimedOut", error="States.Timeout", resource="createTrainingJob.sync")
    story.leave("Task", "TrainModel")
    (state,) = told(story).states
    assert in_words(state) == ("TrainModel", "caught", 1, "States.Timeout")


def test_output_that_cannot_be_evaluated_is_the_states_failure() -> None:
    story = Story()
    story.enter("Task", "TrainModel")
    story.schedule()
    story.event("TaskSucceeded", output="{}")
    story.event("EvaluationFailed", error="States.QueryEvaluationError", cause="Output is wrong", location="Output")
    story.event("ExecutionFailed", error="States.QueryEvaluationError", cause="Output is wrong")
    (state,) = told(story).states
    assert in_words(state) == ("TrainModel", "failed", 1, "States.QueryEvaluationError")


@pytest.mark.parametrize(
    ("event", "details", "error"),
    [
        ("ExecutionAborted", {"error": "Stopped", "cause": "Ctrl-C"}, "Stopped"),
        ("ExecutionAborted", {}, "Aborted"),
        ("ExecutionTimedOut", {}, "States.Timeout"),
    ],
)
def test_an_end_from_outside_stops_what_runs(event: str, details: dict[str, str], error: str) -> None:
    story = Story()
    story.enter("Task", "TrainModel")
    story.schedule()
    story.event(event, **details)
    history = History()
    (state,) = history.add(story.events)
    assert in_words(state) == ("TrainModel", "stopped", 1, "")
    assert state.ended == START + timedelta(seconds=3)
    assert (history.error, history.ended) == (error, True)


def test_branches_that_interleave_do_not_take_each_others_events() -> None:
    story = Story()
    parallel = story.enter("Parallel", "Both")
    begun = story.event("ParallelStateStarted", after=parallel)
    left = story.enter("Task", "Left", after=begun)
    right = story.enter("Task", "Right", after=begun)
    left = story.schedule(after=left, TrainingJobName="left")
    right = story.schedule(after=right, TrainingJobName="right")
    left = story.event("TaskFailed", after=left, error="Boom", cause="left only")
    right = story.event("TaskSucceeded", after=right, output="{}")
    story.leave("Task", "Left", after=left)
    over = story.leave("Task", "Right", after=right)
    over = story.event("ParallelStateSucceeded", after=over)
    story.leave("Parallel", "Both", after=over)
    history = told(story)
    assert [in_words(state) for state in history.states] == [
        ("Both", "succeeded", 0, ""),
        ("Left", "caught", 1, "Boom"),
        ("Right", "succeeded", 1, ""),
    ]
    assert [state.parameters for state in history.states[1:]] == [
        {"TrainingJobName": "left"},
        {"TrainingJobName": "right"},
    ]


def test_items_of_a_map_have_one_name_and_are_kept_apart() -> None:
    story = Story()
    whole = story.enter("Map", "Each")
    begun = story.event("MapStateStarted", after=whole, length=2)
    items = [story.event("MapIterationStarted", after=begun, name="Each", index=index) for index in (0, 1)]
    entered = [story.enter("Task", "Fit", after=item) for item in items]
    scheduled = [story.schedule(after=each, TrainingJobName=f"fit-{n}") for n, each in enumerate(entered)]
    failed = story.event("TaskFailed", after=scheduled[1], error="Boom", cause="second")
    fine = story.event("TaskSucceeded", after=scheduled[0], output="{}")
    story.leave("Task", "Fit", "first", after=fine)
    over = story.leave("Task", "Fit", "second", after=failed)
    over = story.event("MapIterationSucceeded", after=over, name="Each", index=1)
    over = story.event("MapStateSucceeded", after=over)
    story.leave("Map", "Each", after=over)
    first, second = told(story).visits("Fit")
    assert (first.parameters["TrainingJobName"], first.status, first.output) == ("fit-0", "succeeded", "first")
    assert (second.parameters["TrainingJobName"], second.status, second.output) == ("fit-1", "caught", "second")


def test_events_may_come_in_any_portions() -> None:
    story = Story()
    story.task("TrainModel", {"a": 1})
    story.event("ExecutionSucceeded", output="{}")
    history, ended = History(), []
    for event in story.events:
        ended += [state.name for state in history.add([event])]
    assert ended == ["TrainModel"]
    assert history.last_event == len(story.events)
    assert history.states == told(story).states


def test_what_is_no_json_is_kept_as_text() -> None:
    story = Story()
    story.enter("Task", "TrainModel")
    story.events[-1]["stateEnteredEventDetails"]["input"] = '"a quote\\" and a \\\\"'
    story.schedule()
    story.events[-1]["taskScheduledEventDetails"]["parameters"] = "no json"
    (state,) = told(story).states
    assert state.input == 'a quote" and a \\'
    assert state.parameters == {}
    assert state.attempts == 1


def test_a_state_that_was_not_visited_is_named_with_the_nearest() -> None:
    story = Story()
    story.task("TrainModel")
    story.task("EvaluateModel")
    history = told(story)
    assert [state.name for state in history.visits("EvaluateModel")] == ["EvaluateModel"]
    with pytest.raises(StateNotFound) as near:
        history.visits("TrainModle")
    assert str(near.value) == "The run went through no state 'TrainModle'.\nDid you mean TrainModel?"
    with pytest.raises(StateNotFound) as far:
        history.visits("Deploy")
    assert str(far.value) == "The run went through no state 'Deploy'.\nIt went through TrainModel and EvaluateModel."


@pytest.mark.parametrize(
    ("cause", "expected"),
    [
        ("plain text", "plain text"),
        ('{"FailureReason": "", "ExitMessage": "no rows"}', "no rows"),
        ('{"errorMessage": "a \\"quoted\\" word", "errorType": "X"}', 'a "quoted" word'),
        ('{"TrainingJobName": "x"}', '{"TrainingJobName": "x"}'),
        ("[1]", "[1]"),
        ("", ""),
    ],
)
def test_reason(cause: str, expected: str) -> None:
    assert reason(cause) == expected
