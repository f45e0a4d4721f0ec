"""The API: executions started, stopped, listed, found again after a kill, told to the other services."""

import json
import threading

import pytest

from modelwright.local.service import AwsError
from modelwright.local.stepfunctions import history, machines
from modelwright.local.stepfunctions.executions import Executions

WAIT = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 60, "End": True}}}
PASS = {"StartAt": "P", "States": {"P": {"Type": "Pass", "Output": {"x": "{% $states.input.x %}"}, "End": True}}}
LOGGED = {
    "level": "ALL",
    "includeExecutionData": True,
    "destinations": [{"cloudWatchLogsLogGroup": {"logGroupArn": "arn:aws:logs:r:1:log-group:/states/p:*"}}],
}


def until_entered(states, execution, state_type="WaitStateEntered"):
    for _ in range(2000):
        if state_type in states.types(execution):
            return
        threading.Event().wait(0.002)
    raise AssertionError(f"{state_type} did not happen")


def test_an_execution_without_a_name_gets_one(states):
    execution = states.start(PASS, {"x": 1})
    assert len(execution.rpartition(":")[2]) == 36
    found = states.wait(execution)
    assert (found["status"], found["output"], found["input"]) == ("SUCCEEDED", {"x": 1}, '{"x": 1}')


def test_the_same_name_and_input_is_the_same_execution_while_it_runs(states):
    machine = states.create(WAIT)
    first = states.call("StartExecution", stateMachineArn=machine, name="n", input="{}")
    assert states.call("StartExecution", stateMachineArn=machine, name="n", input="{}") == first
    with pytest.raises(AwsError, match="ExecutionAlreadyExists"):
        states.call("StartExecution", stateMachineArn=machine, name="n", input='{"other": 1}')
    states.call("StopExecution", executionArn=first["executionArn"])
    with pytest.raises(AwsError, match="ExecutionAlreadyExists"):
        states.call("StartExecution", stateMachineArn=machine, name="n", input="{}")


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"name": "a b"}, "InvalidName"),
        ({"name": "x" * 81}, "InvalidName"),
        ({"input": "{"}, "InvalidExecutionInput"),
        ({"input": json.dumps("x" * 262_144)}, "InvalidExecutionInput"),
        ({"stateMachineArn": "arn:aws:states:r:1:stateMachine:none"}, "StateMachineDoesNotExist"),
    ],
)
def test_a_start_that_is_refused(states, more, code):
    params = {"stateMachineArn": states.create(PASS), "input": "{}", **more}
    with pytest.raises(AwsError) as refused:
        states.call("StartExecution", **params)
    assert refused.value.code == code


def test_stopping_wakes_a_wait_at_once(states):
    execution = states.start(WAIT)
    until_entered(states, execution)
    states.call("StopExecution", executionArn=execution)
    assert states.wait(execution)["status"] == "ABORTED"
    assert states.types(execution) == ["ExecutionStarted", "WaitStateEntered", "ExecutionAborted"]
    assert states.history(execution)[-1]["previousEventId"] == 0


def test_stopping_wakes_a_retrys_pause(states, cloud, refusal):
    cloud.api("sns").answers["publish"] = refusal("InternalError")
    retry = [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 1000}]
    task = {"Type": "Task", "Resource": "arn:aws:states:::sns:publish", "Arguments": {"Message": "m"}, "Retry": retry}
    execution = states.start({"StartAt": "T", "States": {"T": {**task, "End": True}}})
    until_entered(states, execution, "TaskFailed")
    states.call("StopExecution", executionArn=execution)
    assert states.wait(execution)["status"] == "ABORTED"


def test_stopping_does_not_wait_for_a_call_that_hangs(states, cloud):
    hangs = threading.Event()
    cloud.api("lambda").answers["invoke"] = lambda **_: hangs.wait(30) or {}
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Arguments": {"FunctionName": "f"},
        "End": True,
    }
    execution = states.start({"StartAt": "T", "States": {"T": task}})
    until_entered(states, execution, "TaskStarted")
    states.call("StopExecution", executionArn=execution)
    assert states.wait(execution)["status"] == "ABORTED"
    hangs.set()


def test_a_wait_is_on_the_local_clouds_clock(states, cloud):
    execution = states.start(WAIT)
    until_entered(states, execution)
    cloud.clock.advance(60)
    assert states.wait(execution)["status"] == "SUCCEEDED"


def test_a_machine_that_takes_too_long_is_timed_out_and_says_so_last(states, cloud):
    execution = states.start({**WAIT, "TimeoutSeconds": 10})
    until_entered(states, execution)
    cloud.clock.advance(11)
    assert states.wait(execution)["status"] == "TIMED_OUT"
    assert states.types(execution)[-1] == "ExecutionTimedOut"


def test_histories_and_lists_come_in_pages(states):
    machine = states.create(PASS)
    for name in "abc":
        arn = states.call("StartExecution", stateMachineArn=machine, name=name, input='{"x": 1}')["executionArn"]
        states.wait(arn)
    first = states.call("ListExecutions", stateMachineArn=machine, maxResults=2)
    rest = states.call("ListExecutions", stateMachineArn=machine, maxResults=2, nextToken=first["nextToken"])
    assert sorted(e["name"] for e in first["executions"] + rest["executions"]) == ["a", "b", "c"]
    assert "nextToken" not in rest
    assert states.call("ListExecutions", stateMachineArn=machine, statusFilter="FAILED")["executions"] == []
    page = states.call("GetExecutionHistory", executionArn=arn, maxResults=2, reverseOrder=True)
    assert [event["type"] for event in page["events"]] == ["ExecutionSucceeded", "PassStateExited"]
    bare = states.call("GetExecutionHistory", executionArn=arn, includeExecutionData=False)["events"]
    assert bare[1]["stateEnteredEventDetails"] == {"name": "P"}
    with pytest.raises(AwsError, match="InvalidToken"):
        states.call("ListExecutions", stateMachineArn=machine, nextToken="nonsense")


def test_what_ran_when_the_cloud_was_killed_is_failed_and_the_rest_is_there(states, cloud):
    ended = states.start(PASS, {"x": 1})
    states.wait(ended)
    running = states.start(WAIT)
    until_entered(states, running)
    before = states.history(ended)
    again = Executions(cloud)  # another process would: this one knows nothing of what runs
    again.recover()
    record = again.get(running)
    assert (record["status"], record["error"]) == ("FAILED", "States.Runtime")
    assert record["cause"] == "The local cloud was killed while this execution ran; start it again. Last state: W."
    last = again.records.history(running)[-1]
    assert (last["type"], last["id"], last["previousEventId"]) == ("ExecutionFailed", 3, 2)
    assert again.get(ended)["output"] == '{"x":1}'
    assert [e["id"] for e in before] == [1, 2, 3, 4]
    assert cloud.events[-1]["detail"]["status"] == "FAILED"
    again.close()


def test_ending_the_service_stops_what_runs_and_records_it(states, cloud):
    execution = states.start(WAIT)
    until_entered(states, execution)
    states.service.stop()
    record = states.service.executions.get(execution)
    assert (record["status"], record["cause"]) == (
        "ABORTED",
        "The local cloud was stopped while this execution ran; start it again.",
    )


def test_eventbridge_and_cloudwatch_are_told(states, cloud):
    execution = states.start(PASS, {"x": 1})
    machine = states.wait(execution)["stateMachineArn"]
    states.service.stop()
    statuses = [event["detail"]["status"] for event in cloud.events]
    assert statuses == ["RUNNING", "SUCCEEDED"]
    event = cloud.events[-1]
    assert (event["source"], event["detail-type"]) == ("aws.states", "Step Functions Execution Status Change")
    assert event["resources"] == [execution]
    assert event["detail"]["output"] == '{"x":1}'
    assert event["detail"]["startDate"] == 1767225600000
    dimensions = {"StateMachineArn": machine}
    assert [(name, unit, dims) for _, name, _, unit, dims in cloud.metrics] == [
        ("ExecutionsStarted", "Count", dimensions),
        ("ExecutionsSucceeded", "Count", dimensions),
        ("ExecutionTime", "Milliseconds", dimensions),
    ]


@pytest.mark.parametrize(
    ("level", "types"),
    [
        ("ALL", ["ExecutionStarted", "FailStateEntered", "ExecutionFailed"]),
        ("ERROR", ["FailStateEntered", "ExecutionFailed"]),
        ("FATAL", ["ExecutionFailed"]),
        ("OFF", []),
    ],
)
def test_the_history_is_logged_as_the_level_says(states, cloud, level, types):
    failing = {"StartAt": "F", "States": {"F": {"Type": "Fail", "Error": "Mine", "Cause": "because"}}}
    machine = states.create(failing, loggingConfiguration={**LOGGED, "level": level})
    execution = states.call("StartExecution", stateMachineArn=machine, input='{"secret": 1}')["executionArn"]
    states.wait(execution)
    states.service.executions.flush()
    lines = [json.loads(text) for _, _, _, text in cloud.lines]
    assert [line["type"] for line in lines] == types
    if lines:
        assert lines[-1]["details"] == {"error": "Mine", "cause": "because"}
        assert (lines[-1]["id"], lines[-1]["previous_event_id"]) == ("3", "2")
        assert (lines[-1]["execution_arn"], lines[-1]["event_timestamp"]) == (execution, "1767225600000")
        group, stream, at, _ = cloud.lines[0]
        assert (group, at) == ("/states/p", 1767225600.0)
        assert stream.startswith("states/machine-0/2026-01-01-00-00/")


def test_a_log_without_execution_data_has_none(states, cloud):
    machine = states.create(PASS, loggingConfiguration={**LOGGED, "includeExecutionData": False})
    states.wait(states.call("StartExecution", stateMachineArn=machine, input='{"x": "secret"}')["executionArn"])
    states.service.executions.flush()
    assert cloud.lines
    assert not any("secret" in text for _, _, _, text in cloud.lines)


@pytest.mark.parametrize(
    ("denied", "message"),
    [
        ("logs:CreateLogDelivery", "The state machine IAM Role is not authorized to access the Log Destination"),
        ("events:PutRule", "is not authorized to create managed-rule."),
        ("sts:AssumeRole", "is authorized to assume the provided role"),
    ],
)
def test_a_role_that_lacks_what_step_functions_checks_at_creation(states, cloud, denied, message):
    cloud.denied.add(denied)
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::sagemaker:createTrainingJob.sync",
        "Arguments": {},
        "End": True,
    }
    with pytest.raises(AwsError) as refused:
        states.create({"StartAt": "T", "States": {"T": task}}, loggingConfiguration=LOGGED)
    assert refused.value.code == "AccessDeniedException"
    assert message in refused.value.message


def test_machines_are_made_once_changed_and_forgotten(states):
    machine = states.create(PASS, tags=[{"key": "a", "value": "b"}])
    found = states.call("DescribeStateMachine", stateMachineArn=machine)
    again = {name: found[name] for name in ("name", "definition", "roleArn")}
    assert states.call("CreateStateMachine", **again)["stateMachineArn"] == machine
    with pytest.raises(AwsError, match="StateMachineAlreadyExists"):
        states.call("CreateStateMachine", **{**again, "roleArn": "arn:aws:iam::1:role/other"})
    changed = json.dumps({"StartAt": "E", "States": {"E": {"Type": "Succeed"}}})
    states.call("UpdateStateMachine", stateMachineArn=machine, definition=changed)
    assert states.call("DescribeStateMachine", stateMachineArn=machine)["definition"] == changed
    assert states.call("ListTagsForResource", resourceArn=machine) == {"tags": [{"key": "a", "value": "b"}]}
    assert [m["name"] for m in states.call("ListStateMachines")["stateMachines"]] == [found["name"]]
    states.call("DeleteStateMachine", stateMachineArn=machine)
    with pytest.raises(AwsError, match="StateMachineDoesNotExist"):
        states.call("DescribeStateMachine", stateMachineArn=machine)


def test_a_running_execution_keeps_its_definition(states, cloud):
    execution = states.start(WAIT)
    until_entered(states, execution)
    machine = states.call("DescribeExecution", executionArn=execution)["stateMachineArn"]
    states.call(
        "UpdateStateMachine", stateMachineArn=machine, definition=json.dumps({"QueryLanguage": "JSONata", **PASS})
    )
    kept = states.call("DescribeStateMachineForExecution", executionArn=execution)
    assert json.loads(kept["definition"])["StartAt"] == "W"


@pytest.mark.parametrize("unsupported", [{"type": "EXPRESS"}, {"publish": True}])
def test_what_is_not_supported_says_so(states, unsupported):
    with pytest.raises(AwsError, match=r"local cloud"):
        states.create(PASS, **unsupported)


def test_the_history_ends_at_its_limit_with_a_failure(states, monkeypatch):
    monkeypatch.setattr(history, "MAX_EVENTS", 50)
    loop = {"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "B"}, "B": {"Type": "Pass", "Next": "A"}}}
    found = states.run(loop)
    assert (found["status"], found["error"]) == ("FAILED", "States.Runtime")
    assert found["cause"] == "The execution reached the maximum number of history events (25000)."
    assert len(states.history(found["executionArn"])) == 50


def test_an_output_over_256_kib_is_data_limit_exceeded(states, cloud):
    cloud.api("sns").answers["publish"] = {"MessageId": "x" * 262_145}
    task = {"Type": "Task", "Resource": "arn:aws:states:::sns:publish", "Arguments": {"Message": "m"}}
    catch = [{"ErrorEquals": ["States.ALL"], "Next": "C"}]
    found = states.run_state({**task, "Catch": catch}, None, C={"Type": "Succeed"})
    assert (found["status"], found["error"]) == ("FAILED", "States.DataLimitExceeded")
    passed = states.run_state({"Type": "Pass", "Output": "{% $join($map([1..262150], function($i){'x'})) %}"})
    assert passed["error"] == "States.DataLimitExceeded"


def test_a_role_that_no_longer_trusts_step_functions_fails_the_task(states, cloud):
    task = {"Type": "Task", "Resource": "arn:aws:states:::sns:publish", "Arguments": {"Message": "m"}, "End": True}
    machine = states.create({"StartAt": "T", "States": {"T": task}})
    cloud.denied.add("sts:AssumeRole")
    found = states.wait(states.call("StartExecution", stateMachineArn=machine)["executionArn"])
    assert (found["status"], found["error"]) == ("FAILED", "States.Runtime")
    assert "is authorized to assume the provided role" in found["cause"]


@pytest.mark.parametrize(
    "destinations",
    [[], [{"cloudWatchLogsLogGroup": {"logGroupArn": "arn:aws:logs:r:1:log-group:/states/p"}}]],
)
def test_a_log_group_that_step_functions_would_not_take(states, destinations):
    with pytest.raises(AwsError, match="InvalidLoggingConfiguration"):
        states.create(PASS, loggingConfiguration={"level": "ALL", "destinations": destinations})


def test_a_definition_that_was_found_well_is_not_checked_again(states, cloud, monkeypatch):
    machine = states.create(PASS)
    definition = states.call("DescribeStateMachine", stateMachineArn=machine)["definition"]
    asked = []
    monkeypatch.setattr(machines.checks, "all_problems", lambda text: asked.append(text) or [])
    states.create(definition)
    assert asked == []
    monkeypatch.setattr(machines.checks, "version", lambda: "other code")
    states.create(definition)
    assert asked == [definition]
