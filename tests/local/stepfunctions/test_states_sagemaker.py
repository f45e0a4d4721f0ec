"""`sagemaker:…` tasks: AWS's history, errors, outputs and timeouts.

https://docs.aws.amazon.com/step-functions/latest/dg/connect-sagemaker.html
"""

import json
import threading

import pytest

from modelwright.local.service import AwsError

TRAIN = "arn:aws:states:::sagemaker:createTrainingJob.sync"


def train(**more):
    return {
        "Type": "Task",
        "Resource": TRAIN,
        "Arguments": {
            "TrainingJobName": "{% 'job-' & $string($states.context.State.RetryCount) %}",
            "RoleArn": "arn:aws:iam::123456789012:role/job",
        },
        **more,
    }


def one_state(state, **others):
    return {"StartAt": "Train", "States": {"Train": {**state, "End": True}, **others}}


def test_sync_has_awss_history_and_gives_the_description(states, cloud):
    execution = states.start(one_state(train()))
    (name,) = cloud.sagemaker.started()
    cloud.sagemaker.end(name, "Completed", ModelArtifacts={"S3ModelArtifacts": "s3://b/k"})
    found = states.wait(execution)
    assert found["status"] == "SUCCEEDED"
    assert found["output"]["TrainingJobStatus"] == "Completed"
    assert found["output"]["ModelArtifacts"] == {"S3ModelArtifacts": "s3://b/k"}
    assert found["output"]["CreationTime"] == 1767225600000
    assert found["output"]["Tags"] == {"MANAGED_BY_AWS": "STARTED_BY_STEP_FUNCTIONS"}
    assert states.types(execution) == [
        "ExecutionStarted",
        "TaskStateEntered",
        "TaskScheduled",
        "TaskStarted",
        "TaskSubmitted",
        "TaskSucceeded",
        "TaskStateExited",
        "ExecutionSucceeded",
    ]


def test_the_submitted_event_holds_the_answer_of_the_create_call(states, cloud):
    cloud.sagemaker.instant = "Completed"
    execution = states.start(one_state(train()))
    states.wait(execution)
    submitted = states.history(execution)[4]["taskSubmittedEventDetails"]
    assert (submitted["resourceType"], submitted["resource"]) == ("sagemaker", "createTrainingJob.sync")
    output = json.loads(submitted["output"])
    assert output["TrainingJobArn"].endswith(":trainingjob/job-0")
    assert output["SdkHttpMetadata"]["HttpStatusCode"] == 200
    assert output["SdkResponseMetadata"] == {"RequestId": "request-1"}


@pytest.mark.parametrize("status", ["Failed", "Stopped"])
def test_a_job_that_did_not_complete_is_task_failed_with_its_description(states, cloud, status):
    execution = states.start(one_state(train()))
    (name,) = cloud.sagemaker.started()
    cloud.sagemaker.end(name, status, FailureReason='AlgorithmError: "quoted" \\ back')
    found = states.wait(execution)
    assert (found["status"], found["error"]) == ("FAILED", "States.TaskFailed")
    cause = json.loads(found["cause"])
    assert cause["TrainingJobStatus"] == status
    assert cause["FailureReason"] == 'AlgorithmError: "quoted" \\ back'


@pytest.mark.parametrize(
    "code", ["ValidationException", "ResourceInUse", "ResourceLimitExceeded", "AccessDeniedException"]
)
def test_every_refusal_of_the_api_has_one_name(states, cloud, refusal, code):
    cloud.sagemaker.answers["create_training_job"] = refusal(code, "no")
    found = states.run(one_state(train()))
    assert found["error"] == "SageMaker.AmazonSageMakerException"
    assert found["cause"] == (
        f"no (Service: AmazonSageMaker; Status Code: 400; Error Code: {code}; Request ID: request-1; Proxy: null)"
    )


def test_a_retry_has_a_name_of_its_own_and_counts(states, cloud):
    retry = [{"ErrorEquals": ["States.TaskFailed"], "IntervalSeconds": 5, "MaxAttempts": 1}]
    execution = states.start(one_state(train(Retry=retry)))
    (first,) = cloud.sagemaker.started()
    cloud.sagemaker.end(first, "Failed")
    advance_until(cloud, lambda: len(cloud.sagemaker.jobs) == 2)
    cloud.sagemaker.end("job-1", "Completed")
    assert states.wait(execution)["status"] == "SUCCEEDED"
    assert list(cloud.sagemaker.jobs) == ["job-0", "job-1"]


def test_a_timeout_stops_the_job_and_is_states_timeout(states, cloud):
    execution = states.start(one_state(train(TimeoutSeconds=30)))
    cloud.sagemaker.started()
    advance_until(cloud, lambda: cloud.sagemaker.requests("stop_training_job"))
    found = states.wait(execution)
    assert (found["status"], found["error"]) == ("FAILED", "States.Timeout")
    assert cloud.sagemaker.requests("stop_training_job") == [{"TrainingJobName": "job-0"}]
    assert "TaskTimedOut" in states.types(execution)
    assert "TaskSucceeded" not in states.types(execution)


def test_stop_execution_stops_the_job(states, cloud):
    execution = states.start(one_state(train()))
    cloud.sagemaker.started()
    states.call("StopExecution", executionArn=execution, error="Enough", cause="why not")
    found = states.wait(execution)
    assert (found["status"], found["error"], found["cause"]) == ("ABORTED", "Enough", "why not")
    assert cloud.sagemaker.requests("stop_training_job") == [{"TrainingJobName": "job-0"}]
    assert states.types(execution)[-1] == "ExecutionAborted"


def test_stop_execution_stops_the_jobs_of_a_map_and_of_branches(states, cloud):
    inner = train(End=True)
    inner["Arguments"] = {**inner["Arguments"], "TrainingJobName": "{% 'm' & $string($states.input) %}"}
    execution = states.start(
        {
            "StartAt": "P",
            "States": {
                "P": {
                    "Type": "Parallel",
                    "End": True,
                    "Branches": [
                        {"StartAt": "A", "States": {"A": train(End=True)}},
                        {
                            "StartAt": "M",
                            "States": {
                                "M": {
                                    "Type": "Map",
                                    "End": True,
                                    "Items": [1, 2],
                                    "ItemProcessor": {"StartAt": "B", "States": {"B": inner}},
                                }
                            },
                        },
                    ],
                }
            },
        }
    )
    cloud.sagemaker.started(3)
    states.call("StopExecution", executionArn=execution)
    assert states.wait(execution)["status"] == "ABORTED"
    stopped = {request["TrainingJobName"] for request in cloud.sagemaker.requests("stop_training_job")}
    assert stopped == {"job-0", "m1", "m2"}


def test_every_call_is_made_as_the_machines_role(states, cloud):
    cloud.sagemaker.instant = "Completed"
    states.run(one_state(train()))
    assert set(cloud.asked) == {("sagemaker", "arn:aws:iam::123456789012:role/machine", "states.amazonaws.com")}
    called = [name for name, _ in cloud.sagemaker.calls]
    assert called == ["create_training_job", "describe_training_job", "list_tags"]


def test_request_response_gives_the_answer_with_the_sdks_metadata(states, cloud):
    cloud.sagemaker.answers["create_model"] = {"ModelArn": "arn:aws:sagemaker:x:1:model/m"}
    found = states.run_state(
        {
            "Type": "Task",
            "Resource": "arn:aws:states:::sagemaker:createModel",
            "Arguments": {"ModelName": "m", "ExecutionRoleArn": "r"},
        }
    )
    assert found["output"]["ModelArn"] == "arn:aws:sagemaker:x:1:model/m"
    assert set(found["output"]) == {"ModelArn", "SdkHttpMetadata", "SdkResponseMetadata"}
    assert cloud.sagemaker.requests("create_model") == [{"ModelName": "m", "ExecutionRoleArn": "r"}]


@pytest.mark.parametrize(
    ("resource", "arguments", "problem"),
    [
        (
            TRAIN,
            {"RetryStrategy": {}},
            "The field 'RetryStrategy' is not supported by Step Functions at /States/S/Arguments",
        ),
        (TRAIN, {"StoppingCondition": {"Max": 1}}, "The field 'StoppingCondition/Max' is not supported"),
        (
            "arn:aws:states:::sagemaker:updateEndpoint",
            {"DeploymentConfig": {}},
            "The field 'DeploymentConfig' is not supported",
        ),
        ("arn:aws:states:::sagemaker:createModel.sync", {}, "'.sync' is not supported"),
        ("arn:aws:states:::sagemaker:deleteModel", {}, "is not recognized"),
        ("arn:aws:states:::aws-sdk:sagemaker:nope", {}, "'sagemaker' has no action 'nope'"),
        ("arn:aws:states:::aws-sdk:sagemaker:describeModel", {"Name": "x"}, "The field 'Name' is not supported"),
        ("arn:aws:states:::batch:submitJob.sync", {}, "The integration 'batch' does not run in the local cloud"),
        ("arn:aws:states:::lambda:invoke.waitForTaskToken", {}, "'.waitForTaskToken' is not supported"),
    ],
)
def test_what_step_functions_refuses_at_creation(states, resource, arguments, problem):
    with pytest.raises(AwsError) as refused:
        states.create(
            {
                "StartAt": "S",
                "States": {"S": {"Type": "Task", "Resource": resource, "Arguments": arguments, "End": True}},
            }
        )
    assert refused.value.code == "InvalidDefinition"
    assert problem in refused.value.message


def test_a_field_that_an_expression_brings_is_refused_when_it_runs(states):
    found = states.run_state({"Type": "Task", "Resource": TRAIN, "Arguments": "{% {'Nope': 1} %}"})
    assert found["error"] == "States.Runtime"
    assert 'The field "Nope" is not supported by Step Functions' in found["cause"]


def test_a_map_of_200_jobs_needs_no_polling(states, cloud):
    cloud.sagemaker.instant = "Completed"
    inner = train(End=True)
    inner["Arguments"] = {"TrainingJobName": "{% 'm' & $string($states.input) %}"}
    found = states.run_state(
        {
            "Type": "Map",
            "Items": "{% [1..200] %}",
            "ItemProcessor": {"StartAt": "B", "States": {"B": {**inner, "Output": "{% $states.input %}"}}},
        }
    )
    assert found["output"] == list(range(1, 201))


def advance_until(cloud, reached):
    """Move the clock in small steps, from a thread's point of view, until something has happened."""
    for _ in range(5000):
        if reached():
            return
        cloud.clock.advance(1)
        threading.Event().wait(0.001)
    raise AssertionError("it did not happen in 5000 seconds of the clock")
