"""What a run looks like: the whole printed text."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from fake_aws import START, Execution, FakeSession, StepFunctions, Story

from modelwright.cli import render
from modelwright.cli.failures import readable_reason, why
from modelwright.cli.terminal import Terminal
from modelwright.client.runs import executions
from modelwright.client.runs.history import History, StateRun

OUTPUT = {
    "status": "Deployed",
    "pipeline": "penguins",
    "run": "0123456789ab",
    "release": "r" * 64,
    "metrics": {"accuracy": 0.916666, "rows": 84, "confusion": [[1]]},
    "gate": [
        {"text": "accuracy >= 0.80", "passed": True, "found": 0.916666, "limit": 0.8},
        {"text": "f1 >= champion.f1", "passed": True, "found": 0.9, "limit": None, "note": "no champion yet"},
    ],
    "modelPackageArn": "arn:package/1",
    "endpoint": "mw-dev-penguins",
}
REQUEST = {"schema": 1, "pipeline": "penguins", "release": "r" * 64, "trigger": {"kind": "manual", "id": "1"}}


def described(**more: Any) -> executions.Run:
    story = Story()
    story.event("ExecutionSucceeded")
    one = Execution("name", story, given=REQUEST, **more)
    return executions.describe(FakeSession(stepfunctions=StepFunctions(one)), "penguins", one.arn)


def printed(capsys: pytest.CaptureFixture[str], run: executions.Run, history: History | None = None) -> str:
    render.print_outcome(run, history or History())
    return capsys.readouterr().out.replace(run.run_id, "RUN")


def test_a_deployed_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(capsys, described(output=OUTPUT)) == (
        "Deployed  penguins run RUN in 12.50 s\n"
        "  accuracy 0.9167  rows 84\n"
        "  ✓ accuracy >= 0.80: found 0.9167\n"
        "  ✓ f1 >= champion.f1: found 0.9  (no champion yet)\n"
    )


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (
            {"serve": "onnx", "reason": ""},
            "  compiled: the model answers the same as its script, and needs it no more\n",
        ),
        (
            {"serve": "python", "reason": "not convertible: Net."},
            "  not compiled, its script serves it: not convertible: Net.\n",
        ),
        (
            {"serve": "framework", "reason": "BuildServingImage: no."},
            "  not compiled, AWS's image serves its script: BuildServingImage: no.\n",
        ),
        ({"serve": "python", "reason": ""}, ""),
    ],
)
def test_a_run_says_what_serves_its_model(capsys: pytest.CaptureFixture[str], model: dict[str, str], said: str) -> None:
    run = described(output={"status": "Deployed", "metrics": {}, "gate": [], "model": model})
    assert printed(capsys, run) == "Deployed  penguins run RUN in 12.50 s\n" + said
    assert render.run_as_json(run)["model"] == model


def test_a_rejected_run_says_which_clause_and_is_no_failure(capsys: pytest.CaptureFixture[str]) -> None:
    gate = [{"text": "accuracy >= 0.99", "passed": False, "found": 0.9, "limit": 0.99}]
    gate.append({"text": "auc >= 0.5", "passed": False, "found": None, "limit": 0.5, "note": "not reported"})
    assert printed(capsys, described(output={"status": "Rejected", "metrics": {}, "gate": gate})) == (
        "Rejected  penguins run RUN in 12.50 s\n"
        "  ✗ accuracy >= 0.99: found 0.9\n"
        "  ✗ auc >= 0.5: found nothing  (not reported)\n"
    )


def test_a_failed_run_says_why_and_where_to_look(capsys: pytest.CaptureFixture[str]) -> None:
    cause = "TrainModel: AlgorithmError: ExitCode 42\nKeyError: 'sex'"
    run = described(status="FAILED", error="States.TaskFailed", cause=cause)
    history = History()
    story = Story()
    story.enter("Task", "TrainModel")
    story.schedule()
    story.event("TaskFailed", error="States.TaskFailed", cause="AlgorithmError")
    story.leave("Task", "TrainModel")
    history.add(story.events)
    assert printed(capsys, run, history) == (
        "Failed  penguins run RUN in 12.50 s\n"
        "  States.TaskFailed: TrainModel: AlgorithmError: ExitCode 42\n"
        "  KeyError: 'sex'\n"
        "  modelwright show RUN; modelwright logs RUN TrainModel\n"
    )


SENTENCE = (
    "Threshold Crossed: 2 out of the last 3 datapoints [12.0 (21/11/26 17:14:45), 17.0588235294117 (21/11/26 17:14:42)]"
    " were greater than the threshold (5.0) (minimum 2 datapoints for OK -> ALARM transition)."
)
CALLED_BACK = f"The alarm mw-dev-penguins-EndpointErrorsAlarm-1 is in ALARM: {SENTENCE}"
READABLE = (
    "The alarm mw-dev-penguins-EndpointErrorsAlarm-1 is in ALARM: it measured 12, 17.0588, which is greater than 5"
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (CALLED_BACK, READABLE),
        (
            "Threshold Crossed: 1 datapoint [7.0 (10/02/20 14:02:00)] was less than or equal to the threshold (10.5).",
            "it measured 7, which is less than or equal to 10.5",
        ),
        ("One or more alarms are in ALARM: [a]", "One or more alarms are in ALARM: [a]"),
        ("Threshold Crossed: no datapoints were received", "Threshold Crossed: no datapoints were received"),
    ],
)
def test_an_alarms_sentence_says_what_was_measured(text: str, said: str) -> None:
    assert readable_reason(text) == said


def rolled_back(status: str = "serves dev-penguins-old-00 as before") -> tuple[executions.Run, History]:
    story, history = Story(), History()
    for name, output in (
        ("WatchEndpoint", {"outcome": "RolledBack", "reason": CALLED_BACK}),
        ("RestoreEndpoint", {"status": status}),
    ):
        story.enter("Task", name)
        story.leave("Task", name, output)
    history.add(story.events)
    cause = f"WatchEndpoint: {CALLED_BACK} (the endpoint serves old)"
    return described(status="FAILED", error="RolledBack", cause=cause), history


def test_a_rollback_has_its_reason_in_one_place_and_says_what_serves(capsys: pytest.CaptureFixture[str]) -> None:
    run, history = rolled_back()
    assert printed(capsys, run, history) == (
        "RolledBack  penguins run RUN in 12.50 s\n"
        f"  RolledBack: WatchEndpoint: {READABLE} (the endpoint serves old)\n"
        "  endpoint: serves dev-penguins-old-00 as before\n"
        "  modelwright show RUN; modelwright logs penguins --endpoint\n"
    )
    line = render.state_line(history.states[0], Terminal())
    assert "✗ WatchEndpoint" in line
    assert line.endswith(f"RolledBack: {READABLE}")
    assert "✓ RestoreEndpoint" in render.state_line(history.states[1], Terminal())


def test_a_bad_shadow_is_marked_where_it_was_judged() -> None:
    state = StateRun("JudgeShadow", "Task", START, ended=START, status="succeeded")
    state.output = {"good": False, "reason": "36 of 40 answers in the shadow were errors (5xx)"}
    assert render.state_line(state, Terminal()).endswith("36 of 40 answers in the shadow were errors (5xx)")
    state.output = {"good": True, "reason": "40 answers in the shadow, 0 of them errors"}
    assert "✓" in render.state_line(state, Terminal())
    assert "errors" not in render.state_line(state, Terminal())


def test_a_list_of_runs_says_why_in_a_line() -> None:
    assert why(rolled_back()[0]).startswith(f"WatchEndpoint: {READABLE}")
    failed = described(status="FAILED", error="States.TaskFailed", cause="TrainModel: one\ntwo")
    assert why(failed) == "States.TaskFailed: TrainModel: one two"
    assert why(described(output=OUTPUT)) == ""


@pytest.mark.parametrize(
    ("error", "cause", "step"),
    [
        (
            "SageMaker.AmazonSageMakerException",
            "TrainModel: The account-level service limit 'ml.m5.large for training job usage' is 0 Instances",
            "  `modelwright doctor --aws` prints the command that asks for a higher quota.\n",
        ),
        (
            "States.TaskFailed",
            "TrainModel: CapacityError: Unable to provision requested ML compute capacity.",
            "  AWS has no such machine free now: run it again later, or choose another instance.\n",
        ),
        ("States.TaskFailed", "TrainModel: AlgorithmError: my own limit", ""),
        (
            "EndpointOfOtherKind",
            "DeployEndpoint: The endpoint is of another kind.",
            (
                "  `modelwright destroy penguins` deletes it and the stack, and keeps what was trained; "
                "then the next run makes both again.\n"
            ),
        ),
    ],
)
def test_a_run_that_aws_made_fail_says_the_next_step(
    capsys: pytest.CaptureFixture[str], error: str, cause: str, step: str
) -> None:
    assert printed(capsys, described(status="FAILED", error=error, cause=cause), History()) == (
        f"Failed  penguins run RUN in 12.50 s\n  {error}: {cause}\n{step}  modelwright show RUN; modelwright logs RUN\n"
    )


def test_a_stopped_run_without_a_reason_takes_it_from_its_history(capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(capsys, described(status="ABORTED"), History(error="Aborted")) == (
        "Stopped  penguins run RUN in 12.50 s\n  Aborted\n  modelwright show RUN; modelwright logs RUN\n"
    )


@pytest.mark.parametrize(
    ("states", "line"),
    [
        (["TrainModel", "CreateModel"], ""),
        (
            ["CreateModel", "UpdateEndpoint"],
            "  endpoint: changed before that, and not promoted: `modelwright status` tells what serves\n",
        ),
        (
            ["CreateEndpoint", "SmokeTest", "PromoteModel"],
            "  endpoint: its model had been tested and promoted before that\n",
        ),
    ],
)
def test_a_run_that_was_stopped_says_what_it_had_done_to_the_endpoint(
    capsys: pytest.CaptureFixture[str], states: list[str], line: str
) -> None:
    history = History([StateRun(name, "Task", START, status="succeeded") for name in states], error="Aborted")
    assert printed(capsys, described(status="ABORTED"), history) == (
        f"Stopped  penguins run RUN in 12.50 s\n  Aborted\n{line}  modelwright show RUN; modelwright logs RUN\n"
    )


def test_a_promotion_that_was_cut_off_is_not_told_as_either(capsys: pytest.CaptureFixture[str]) -> None:
    deployed = StateRun("UpdateEndpoint", "Task", START, status="succeeded")
    history = History([deployed, StateRun("PromoteModel", "Task", START, status="stopped")], error="Aborted")
    said = "  endpoint: changed before that, and perhaps promoted: `modelwright status` tells what serves\n"
    assert said in printed(capsys, described(status="ABORTED"), history)


def test_a_run_that_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    story = Story()
    story.event("ExecutionSucceeded")
    one = Execution("name", story, shown=1)
    run = executions.describe(FakeSession(stepfunctions=StepFunctions(one)), "penguins", one.arn)
    assert printed(capsys, run) == "Running  penguins run RUN\n"


def test_as_json_it_is_one_document_with_everything(capsys: pytest.CaptureFixture[str]) -> None:
    run = described(output=OUTPUT)
    render.print_json(render.run_as_json(run))
    assert json.loads(capsys.readouterr().out) == {
        "run": run.run_id,
        "pipeline": "penguins",
        "status": "Deployed",
        "execution": {
            "arn": run.arn,
            "status": "SUCCEEDED",
            "started": "2026-11-20T12:00:00+00:00",
            "stopped": "2026-11-20T12:00:12.500000+00:00",
        },
        "trigger": {"kind": "manual", "id": "1"},
        "release": "r" * 64,
        "metrics": OUTPUT["metrics"],
        "gate": OUTPUT["gate"],
        "modelPackageArn": "arn:package/1",
        "endpoint": "mw-dev-penguins",
    }


def test_as_json_a_failure_has_error_and_reason() -> None:
    cause = json.dumps({"errorMessage": "there is no release", "errorType": "ReleaseNotFound"})
    found = render.run_as_json(described(status="FAILED", error="ReleaseNotFound", cause=cause))
    assert (found["status"], found["error"], found["cause"]) == ("Failed", "ReleaseNotFound", "there is no release")


def state(name: str, status: str, took: float = 0.0, **more: Any) -> StateRun:
    return StateRun(name, "Task", START, ended=START + timedelta(seconds=took), status=status, **more)


@pytest.mark.parametrize(
    ("found", "line"),
    [
        (state("TrainModel", "succeeded", 1.5, requests=[{}]), "  ✓ TrainModel                1.50 s"),
        (state("TrainModel", "succeeded", 75, requests=[{}, {}]), "  ✓ TrainModel             1 min 15 s  attempt 2"),
        (
            state("TrainModel", "caught", error="Boom", cause="one\ntwo"),
            "  ! TrainModel                0.00 s  Boom: one two",
        ),
        (
            state(
                "InspectEndpoint", "caught", error="SageMaker.SageMakerException", cause='Could not find endpoint "x"'
            ),
            "  ✓ InspectEndpoint           0.00 s  no endpoint yet",
        ),
        (
            state("InspectEndpoint", "caught", error="SageMaker.SageMakerException", cause="Rate exceeded"),
            "  ! InspectEndpoint           0.00 s  SageMaker.SageMakerException: Rate exceeded",
        ),
        (state("FailRun", "failed", error="Boom"), "  ✗ FailRun                   0.00 s  Boom"),
        (state("TrainModel", "stopped"), "  ■ TrainModel                0.00 s"),
        (StateRun("TrainModel", "Task", START), "  … TrainModel"),
    ],
)
def test_a_state_in_a_line(found: StateRun, line: str) -> None:
    assert render.state_line(found, Terminal()) == line


def test_a_long_reason_is_cut_in_the_line_only() -> None:
    found = state("X", "failed", error="E", cause="x" * 500)
    assert render.state_line(found, Terminal()).endswith("E: " + "x" * 157 + "...")


@pytest.mark.parametrize(
    ("value", "whole", "text"),
    [
        (None, False, ""),
        (0.004, False, "0.00 s"),
        (59.994, False, "59.99 s"),
        (60, False, "1 min 0 s"),
        (119.6, False, "2 min 0 s"),
        (3725, False, "1 h 2 min"),
        (4.7, True, "5 s"),
        (-1, True, "0 s"),
    ],
)
def test_seconds(value: float | None, *, whole: bool, text: str) -> None:
    assert render.seconds(value, whole=whole) == text


def test_a_table_is_left_aligned_without_spaces_at_its_end(capsys: pytest.CaptureFixture[str]) -> None:
    render.table([("a", "long name", ""), ("bb", "c", "d")], ("X", "NAME", "Z"))
    assert capsys.readouterr().out == "X   NAME       Z\na   long name\nbb  c          d\n"
