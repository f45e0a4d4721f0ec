"""Each way through the state machine, with real JSONata and answers from a table."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from workflow_answers import (
    COMPILED,
    COMPILED_URI,
    CONFIG,
    ENDPOINT,
    EVENT,
    PACKAGE_ARN,
    SHA,
    Answers,
    alarm,
    described,
    manifest,
    ready_plan,
    substituted,
    watched,
)
from workflow_walk import EXECUTION, RUN, TaskError, Walk

from modelwright.workflow.definition import definition
from modelwright.workflow.structure import WorkflowStructure

OLD = "dev-penguins-000000000000-00"


def walk(endpoint: str = "realtime", **changes: Any) -> Walk:
    text = json.dumps(definition(WorkflowStructure("penguins", endpoint)))
    return Walk(json.loads(substituted(text)), Answers(**changes), EVENT).run()


def payload(**fields: Any) -> dict[str, Any]:
    return {"Payload": fields}


def arguments(done: Walk, state: str) -> Any:
    return next(given for name, given in done.asked if name == state)


def test_a_good_run_deploys() -> None:
    done = walk()

    assert done.failure is None
    assert done.output == {
        "status": "Deployed",
        "pipeline": "penguins",
        "run": RUN,
        "release": SHA,
        "metrics": {"accuracy": 0.9},
        "gate": [{"text": "accuracy >= 0.80", "passed": True, "found": 0.9, "limit": 0.8}],
        "modelPackageArn": PACKAGE_ARN,
        "model": {"sha256": SHA, "serve": "python", "reason": ""},
        "endpoint": ENDPOINT,
    }
    order = ["ProcessData", "TrainModel", "EvaluateModel", "RecordMetrics", "CheckQualityGate", "PackageModel"]
    order += ["RegisterModel", "AcquireDeployment", "CreateModel", "CreateEndpointConfig", "CreateEndpoint"]
    order += ["WatchEndpoint", "SmokeTest", "PromoteModel", "RemoveOldModels", "ReleaseLease", "NotifySuccess"]
    assert [name for name in done.path if name in order] == order
    assert done.waits == []


def test_a_model_that_misses_its_gate_is_registered_as_rejected_and_nothing_is_deployed() -> None:
    clauses = [{"text": "accuracy >= 0.99", "passed": False, "found": 0.9, "limit": 0.99}]
    done = walk(CheckQualityGate=payload(passed=False, clauses=clauses))

    assert done.output["status"] == "Rejected"
    assert done.output["gate"] == clauses
    assert arguments(done, "RegisterModel")["ModelApprovalStatus"] == "Rejected"
    assert arguments(done, "NotifyRejected")["Message"].splitlines()[2] == "Gate: missed accuracy >= 0.99"
    assert not {"AcquireDeployment", "ReleaseLease", "CreateModel"} & set(done.path)


def test_an_event_that_another_execution_took_ends_at_once() -> None:
    run = {"id": RUN, "release": SHA, "started_at": "2026-11-20T10:00:00.123Z"}
    done = walk(PrepareRun=payload(status="Duplicate", of="arn:other", run=run))

    assert done.path == ["PrepareRun", "CheckRun", "ReportDuplicate"]
    assert done.output["status"] == "Duplicate"
    assert done.output["of"] == "arn:other"


def test_a_run_older_than_the_champion_is_superseded() -> None:
    done = walk(AcquireDeployment=payload(status="Superseded", champion="ffffffffffff"))

    assert done.output["status"] == "Superseded"
    assert done.path[-2:] == ["MarkRunSuperseded", "ReportSuperseded"]
    assert "CreateModel" not in done.path


def test_a_pipeline_without_an_endpoint_ends_registered() -> None:
    done = walk("none")

    assert done.output["status"] == "Registered"
    assert done.path[-4:] == ["DecideDeployment", "MarkRunRegistered", "NotifyRegistered", "ReportRegistered"]


def test_a_held_lease_is_waited_for() -> None:
    busy = payload(status="Busy", holder="arn:other")
    done = walk(AcquireDeployment=[busy, busy, busy, payload(status="Acquired", fence=4)])

    assert done.waits == [0, 1, 2]
    assert done.output["status"] == "Deployed"
    assert arguments(done, "PromoteModel")["Payload"]["fence"] == 4


def test_a_lease_that_is_never_free_fails_and_is_not_given_back() -> None:
    done = walk(AcquireDeployment=payload(status="Busy", holder="arn:other"))

    assert done.failure is not None
    assert done.failure[0] == "EndpointBusy"
    assert done.failure[1].startswith("AcquireDeployment: Another execution held the endpoint of penguins")
    assert done.failure[1].endswith("arn:other")
    assert max(done.waits) == 60
    assert "ReleaseFailedLease" not in done.path


def test_an_endpoint_that_serves_is_updated_with_guardrails_and_watched_until_the_new_model_serves() -> None:
    looks = [{"Payload": watched("Waiting", OLD)}] * 9 + [{"Payload": watched("Serving")}]
    done = walk(InspectEndpoint=described("InService", OLD), WatchEndpoint=looks)

    update = arguments(done, "UpdateEndpoint")
    assert update["EndpointConfigName"] == CONFIG
    alarms = [{"AlarmName": "errors"}, {"AlarmName": "latency"}]
    assert update["DeploymentConfig"]["AutoRollbackConfiguration"] == {"Alarms": alarms}
    assert done.waits == [0] * 6 + [30] * 3
    assert [given["Payload"]["polls"] for name, given in done.asked if name == "WatchEndpoint"] == list(range(10))
    assert done.output["status"] == "Deployed"


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        (("ALARM", "OK"), {"Alarms": [{"AlarmName": "latency"}]}),
        (("OK", "INSUFFICIENT_DATA"), {"Alarms": [{"AlarmName": "errors"}, {"AlarmName": "latency"}]}),
        (("ALARM", "ALARM"), {}),
    ],
)
def test_alarms_that_are_on_already_send_nothing_back(states: tuple[str, str], expected: dict[str, Any]) -> None:
    found = {"MetricAlarms": [alarm(name, state) for name, state in zip(("errors", "latency"), states, strict=True)]}
    done = walk(InspectEndpoint=described("InService", OLD), InspectAlarms=found)
    assert arguments(done, "UpdateEndpoint")["DeploymentConfig"]["AutoRollbackConfiguration"] == expected


def test_a_silent_rollback_is_a_failure() -> None:
    looks = [{"Payload": watched("Waiting", OLD)}, {"Payload": watched("RolledBack", OLD, "alarm x fired")}]
    done = walk(InspectEndpoint=described("InService", OLD), WatchEndpoint=looks)

    assert done.failure == (
        "RolledBack",
        (
            f"WatchEndpoint: alarm x fired (the endpoint {ENDPOINT} is InService with the configuration {OLD}; "
            f"asked for was {CONFIG})"
        ),
    )
    assert done.path[-5:] == ["CheckRestore", "ReleaseFailedLease", "MarkRunFailed", "NotifyFailure", "FailRun"]
    assert "SmokeTest" not in done.path


def test_a_deployment_that_fails_says_why() -> None:
    done = walk(WatchEndpoint={"Payload": watched("Failed", CONFIG, "the container did not pass its ping")})

    assert done.failure is not None
    assert done.failure[0] == "DeploymentFailed"
    assert done.failure[1].startswith("WatchEndpoint: the container did not pass its ping (the endpoint ")


def test_a_deployment_that_never_ends_times_out() -> None:
    done = walk(WatchEndpoint={"Payload": watched("Waiting")})

    assert done.failure is not None
    assert done.failure[0] == "DeploymentTimedOut"
    assert sum(done.waits) >= 3600


@pytest.mark.parametrize("status", ["Creating", "Updating", "RollingBack", "Deleting"])
def test_a_busy_endpoint_is_waited_for(status: str) -> None:
    done = walk(InspectEndpoint=[described(status, OLD), described("InService", OLD)])

    assert done.path.count("WaitForIdleEndpoint") == 1
    assert done.output["status"] == "Deployed"


def test_a_failed_endpoint_is_deleted_and_created() -> None:
    absent = TaskError("SageMaker.SageMakerException", "Could not find endpoint x")
    done = walk(InspectEndpoint=[described("Failed", OLD), described("Deleting", OLD), absent])

    names = [name for name in done.path if name in {"DeleteFailedEndpoint", "CreateEndpoint", "UpdateEndpoint"}]
    assert names == ["DeleteFailedEndpoint", "CreateEndpoint"]


def test_an_endpoint_in_a_status_that_only_a_person_can_end_is_left_alone() -> None:
    done = walk(InspectEndpoint=described("UpdateRollbackFailed", OLD))

    assert done.failure is not None
    assert done.failure[0] == "EndpointNotUsable"
    assert "RestoreEndpoint" not in done.path
    assert "ReleaseFailedLease" in done.path


def test_a_throttled_question_about_the_endpoint_is_asked_again_and_a_refused_one_is_not() -> None:
    throttled = TaskError("SageMaker.SageMakerException", "Rate exceeded (Service: SageMaker, Status Code: 400)")
    assert walk(InspectEndpoint=[throttled, described("InService", OLD)]).output["status"] == "Deployed"

    refused = walk(InspectEndpoint=TaskError("SageMaker.SageMakerException", "is not authorized to perform"))
    assert refused.failure == ("SageMaker.SageMakerException", "InspectEndpoint: is not authorized to perform")


def test_a_failed_smoke_test_puts_the_old_configuration_back_before_the_lease_is_given_back() -> None:
    waiting, done_with = payload(status="waiting"), payload(status=f"serves {OLD} as before")
    done = walk(
        InspectEndpoint=described("InService", OLD),
        SmokeTest=TaskError("SmokeTestFailed", json.dumps({"errorMessage": "the answer is empty.", "errorType": "S"})),
        RestoreEndpoint=[waiting, waiting, done_with],
    )

    assert done.failure == ("SmokeTestFailed", "SmokeTest: the answer is empty.")
    assert arguments(done, "RestoreEndpoint")["Payload"]["previous_config"] == OLD
    tail = done.path[done.path.index("SmokeTest") :]
    assert tail.count("RestoreEndpoint") == 3
    assert tail[-4:] == ["ReleaseFailedLease", "MarkRunFailed", "NotifyFailure", "FailRun"]
    assert f"Endpoint: serves {OLD} as before" in arguments(done, "NotifyFailure")["Message"].splitlines()


def test_what_cannot_be_restored_is_said_and_the_first_error_stays_the_error() -> None:
    done = walk(
        SmokeTest=TaskError("SmokeTestFailed", "bad"),
        RestoreEndpoint=TaskError("ClientError", "no"),
        ReleaseFailedLease=TaskError("DynamoDB.ConditionalCheckFailedException", "not yours"),
        MarkRunFailed=TaskError("DynamoDB.AmazonDynamoDBException", "no table"),
        NotifyFailure=TaskError("SNS.AmazonSNSException", "no topic"),
    )

    assert done.failure == ("SmokeTestFailed", "SmokeTest: bad")
    assert "not restored" in arguments(done, "NotifyFailure")["Message"]


def test_a_failed_clean_up_release_or_message_does_not_undo_a_deployment() -> None:
    error = TaskError("X", "y")
    done = walk(RemoveOldModels=error, ReleaseLease=error, NotifySuccess=error)

    assert done.failure is None
    assert done.output["status"] == "Deployed"


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


def test_a_bundle_with_requirements_runs_without_isolation_and_installs_them() -> None:
    code = {**ready_plan()["run"]["code"], "requirements": True}
    done = walk(PrepareRun={"Payload": ready_plan(code=code)})

    assert arguments(done, "TrainModel")["EnableNetworkIsolation"] is False
    assert arguments(done, "CreateModel")["EnableNetworkIsolation"] is False
    job = arguments(done, "ProcessData")
    assert job["NetworkConfig"] == {"EnableNetworkIsolation": False}
    assert job["AppSpecification"]["ContainerEntrypoint"][0] == "/bin/sh"
    assert job["AppSpecification"]["ContainerEntrypoint"][-1] == "/opt/ml/processing/input/code/process.py"


# compiled deployments

COMPILED_WAY = ["DecideCompilation", "FindServingImage", "ConvertModel", "ChooseModel", "RegisterModel"]
SCRIPT = {"serve": "python", "uri": "s3://b/m", "sha256": SHA, "python_sha256": SHA, "reason": "it differs"}
NO_MACHINE = '{"FailureReason": "CapacityError: no capacity"}'


def compile_walk(**changes: Any) -> Walk:
    text = json.dumps(definition(WorkflowStructure("penguins", compiled=True)))
    return Walk(json.loads(substituted(text)), Answers(**changes), EVENT).run()


def chosen(done: Walk) -> dict[str, Any]:
    found: dict[str, Any] = arguments(done, "ChooseModel")["Payload"]
    return found


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
    assert arguments(done, "RegisterModel")["CustomerMetadataProperties"]["serve"] == "python"


def test_a_model_that_is_not_compiled_is_served_by_the_framework_s_image() -> None:
    done = compile_walk(ChooseModel={"Payload": SCRIPT})
    container = arguments(done, "CreateModel")["PrimaryContainer"]
    assert "sagemaker-scikit-learn" in container["Image"]
    assert container["Environment"]["MODELWRIGHT_SERVE"] == "python"
    assert done.output["status"] == "Deployed"


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
