"""Compiling a model on the way: images, conversion, the choice, and what is told when it is not compiled."""

from __future__ import annotations

import json
from typing import Any

import pytest
from workflow_answers import (
    COMPILED,
    COMPILED_URI,
    EVENT,
    FILES,
    SHA,
    Answers,
    manifest,
    ready_plan,
    substituted,
)
from workflow_paths import arguments, payload, walk
from workflow_walk import TaskError, Walk

from modelwright.workflow.definition import definition
from modelwright.workflow.structure import WorkflowStructure

COMPILED_WAY = ["DecideCompilation", "FindServingImage", "ConvertModel", "ChooseModel", "RegisterModel"]
SCRIPT = {
    "serve": "python",
    "uri": "s3://b/m",
    "sha256": SHA,
    "python_sha256": SHA,
    "files_sha256": FILES,
    "reason": "it differs",
}
NO_MACHINE = '{"FailureReason": "CapacityError: no capacity"}'


def compile_walk(**changes: Any) -> Walk:
    text = json.dumps(definition(WorkflowStructure("penguins", compiled=True)))
    return Walk(json.loads(substituted(text)), Answers(**changes), EVENT).run()


def chosen(done: Walk) -> dict[str, Any]:
    found: dict[str, Any] = arguments(done, "ChooseModel")["Payload"]
    return found


@pytest.mark.parametrize(
    ("structure", "targets"),
    [
        (WorkflowStructure("penguins", compiled=True), "serve convert python"),
        (WorkflowStructure("penguins", script_image=True), "python"),
    ],
)
def test_a_build_is_told_which_images_the_run_goes_on_with(structure: WorkflowStructure, targets: str) -> None:
    """The project may be of a newer deploy than the run."""
    state = definition(structure)["States"]["BuildServingImage"]
    told = {each["Name"]: each["Value"] for each in state["Arguments"]["EnvironmentVariablesOverride"]}
    assert told == {
        "FRAMEWORK": "{% $plan.convert.framework %}",
        "WANTED_HASH": "${ServingImageHash}",
        "TARGETS": targets,
    }


def test_the_compiled_model_is_registered_and_served_by_our_image() -> None:
    done = compile_walk()
    start = done.path.index("DecideCompilation")
    assert done.path[start : start + 5] == COMPILED_WAY
    assert done.output["status"] == "Deployed"
    container = arguments(done, "CreateModel")["PrimaryContainer"]
    assert container["Image"].endswith("/mw-dev-serving:serve-0123456789abcdef")
    assert container["ModelDataUrl"] == COMPILED_URI
    assert container["Environment"]["MODELWRIGHT_SERVE"] == "onnx"
    assert container["Environment"]["MODELWRIGHT_MODEL_SHA256"] == COMPILED
    assert container["Environment"]["MODELWRIGHT_FILES_SHA256"] == ""
    package = arguments(done, "RegisterModel")
    assert package["InferenceSpecification"]["Containers"] == [container]
    about = package["CustomerMetadataProperties"]
    assert (about["modelHash"], about["pythonHash"], about["serve"]) == (COMPILED, SHA, "onnx")


def test_without_compilation_the_script_is_served_and_its_hash_is_told() -> None:
    done = walk()
    assert "DecideCompilation" not in done.path
    container = arguments(done, "CreateModel")["PrimaryContainer"]
    assert "sagemaker-scikit-learn" in container["Image"]
    assert container["Environment"]["MODELWRIGHT_MODEL_SHA256"] == SHA
    assert container["Environment"]["MODELWRIGHT_FILES_SHA256"] == FILES
    assert arguments(done, "RegisterModel")["CustomerMetadataProperties"]["serve"] == "framework"


def test_a_model_that_is_not_compiled_is_served_by_its_script_in_our_image() -> None:
    done = compile_walk(ChooseModel={"Payload": SCRIPT})
    container = arguments(done, "CreateModel")["PrimaryContainer"]
    assert container["Image"].endswith("/mw-dev-serving:python-0123456789abcdef-sklearn-1.9-0")
    assert container["Environment"]["MODELWRIGHT_SERVE"] == "python"
    assert container["Environment"]["MODELWRIGHT_FILES_SHA256"] == FILES
    assert done.output["status"] == "Deployed"


def test_without_an_image_of_ours_it_is_served_by_aws_s() -> None:
    done = compile_walk(ChooseModel={"Payload": {**SCRIPT, "serve": "framework"}})
    container = arguments(done, "CreateModel")["PrimaryContainer"]
    assert "sagemaker-scikit-learn" in container["Image"]
    assert container["Environment"]["MODELWRIGHT_SERVE"] == "framework"
    assert done.output["model"]["serve"] == "framework"


# the script in our own image, as an order

ABSENT = TaskError("Ecr.ImageNotFoundException", "there is none")


def script_walk(**changes: Any) -> Walk:
    text = json.dumps(definition(WorkflowStructure("penguins", script_image=True)))
    return Walk(json.loads(substituted(text)), Answers(**changes), EVENT).run()


@pytest.mark.parametrize("changes", [{}, {"FindServingImage": ABSENT}], ids=["there", "built"])
def test_a_script_is_served_by_our_image(changes: dict[str, Any]) -> None:
    done = script_walk(**changes)
    built = ["BuildServingImage"] if changes else []
    start = done.path.index("DecideServing")
    assert done.path[start : start + 3 + len(built)] == ["DecideServing", "FindServingImage", *built, "RegisterModel"]
    container = arguments(done, "CreateModel")["PrimaryContainer"]
    assert container["Image"].endswith("/mw-dev-serving:python-0123456789abcdef-sklearn-1.9-0")
    assert container["Environment"]["MODELWRIGHT_SERVE"] == "python"
    assert container["Environment"]["MODELWRIGHT_FILES_SHA256"] == FILES
    assert container["Environment"]["SAGEMAKER_PROGRAM"] == "inference.py"
    package = arguments(done, "RegisterModel")
    assert package["InferenceSpecification"]["Containers"] == [container]
    assert package["CustomerMetadataProperties"]["serve"] == done.output["model"]["serve"] == "python"


def test_for_a_script_that_missed_its_gate_no_image_is_built() -> None:
    done = script_walk(CheckQualityGate=payload(passed=False, clauses=[]), FindServingImage=ABSENT)
    assert done.output["status"] == "Rejected"
    assert "FindServingImage" not in done.path


@pytest.mark.parametrize("state", ["FindServingImage", "BuildServingImage"])
def test_an_image_that_cannot_be_had_is_the_run_s_failure_where_it_is_an_order(state: str) -> None:
    changes = {"FindServingImage": ABSENT, state: TaskError("States.TaskFailed", "the build failed")}
    done = script_walk(**changes)
    assert done.failure == ("States.TaskFailed", f"{state}: the build failed")


@pytest.mark.parametrize(
    ("phases", "said"),
    [
        ([{"PhaseStatus": "FAILED", "Contexts": [{"Message": "exit 1"}]}], "exit 1"),
        ([{"PhaseStatus": "FAILED", "Contexts": [{"Message": "a"}, {"Message": "b"}]}, {"PhaseType": "x"}], "a; b"),
        ([{"PhaseStatus": "TIMED_OUT"}], ""),
        ([], ""),
    ],
)
def test_a_build_that_failed_says_why_in_a_sentence(phases: list[dict[str, Any]], said: str) -> None:
    ended = [{"PhaseStatus": "SUCCEEDED", "Contexts": [{"Message": ""}]}, *phases]
    cause = json.dumps({"Build": {"Id": "p:1", "BuildStatus": "FAILED", "Phases": ended}})
    done = script_walk(FindServingImage=ABSENT, BuildServingImage=TaskError("States.TaskFailed", cause))
    assert done.failure == ("States.TaskFailed", f"BuildServingImage: the build p:1 ended as FAILED: {said}")


def test_a_model_that_missed_its_gate_is_not_compiled() -> None:
    done = compile_walk(CheckQualityGate=payload(passed=False, clauses=[]))
    assert done.output["status"] == "Rejected"
    assert done.path[done.path.index("DecideCompilation") + 1] == "RegisterModel"


def test_absent_images_are_built_once() -> None:
    done = compile_walk(FindServingImage=TaskError("Ecr.ImageNotFoundException", "there is none"))
    start = done.path.index("FindServingImage")
    assert done.path[start : start + 3] == ["FindServingImage", "BuildServingImage", "ConvertModel"]
    assert chosen(done)["problem"] == {"state": "", "error": "", "cause": ""}


@pytest.mark.parametrize("state", ["FindServingImage", "BuildServingImage", "ConvertModel"])
def test_whatever_goes_wrong_on_the_way_is_a_reason_and_no_failure(state: str) -> None:
    absent = TaskError("Ecr.ImageNotFoundException", "there is none")
    changes: dict[str, Any] = {"FindServingImage": absent} if state == "BuildServingImage" else {}
    changes |= {state: TaskError("States.TaskFailed", 'it\'s "broken" ' * 5000)}
    done = compile_walk(**changes, ChooseModel={"Payload": SCRIPT})
    problem = chosen(done)["problem"]
    assert (problem["state"], problem["error"]) == (state, "States.TaskFailed")
    assert len(problem["cause"]) == 30_000
    assert done.output["status"] == "Deployed"


def test_a_conversion_that_got_no_machine_is_tried_again_and_then_counts() -> None:
    done = compile_walk(ConvertModel=[TaskError("States.TaskFailed", NO_MACHINE), {"ProcessingJobName": "j"}])
    assert done.path.count("ConvertModel") == 2
    assert done.waits == [60]
    assert chosen(done)["problem"]["cause"] == ""


def test_a_conversion_that_gets_no_machine_at_all_is_a_reason() -> None:
    done = compile_walk(ConvertModel=TaskError("States.TaskFailed", NO_MACHINE), ChooseModel={"Payload": SCRIPT})
    assert len(done.waits) == 4
    assert "CapacityError" in chosen(done)["problem"]["cause"]
    assert done.output["status"] == "Deployed"


def test_a_framework_that_is_too_old_is_a_reason() -> None:
    job = {**manifest()["train"], "image": "1.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-scikit-learn:0.23-1-cpu-py3"}
    done = compile_walk(PrepareRun={"Payload": ready_plan(train=job)}, ChooseModel={"Payload": SCRIPT})
    assert "FindServingImage" not in done.path
    assert "scikit-learn 0.23-1" in chosen(done)["problem"]["cause"]


def test_a_model_that_had_to_be_compiled_ends_the_run() -> None:
    done = compile_walk(ChooseModel=TaskError("NotCompiled", '{"errorMessage": "deploy.serve is onnx"}'))
    assert done.failure == ("NotCompiled", "ChooseModel: deploy.serve is onnx")
