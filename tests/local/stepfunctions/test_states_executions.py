"""Executions: started, stopped, listed, found again after a kill, told to the other services."""

import json
import threading

import pytest
from tiny_machines import PASS, WAIT, until_entered

from modelwright.local.service import AwsError
from modelwright.local.stepfunctions import history
from modelwright.local.stepfunctions.executions import Executions


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


@pytest.mark.parametrize(("ends", "status"), [(Executions.recover, "FAILED"), (Executions.close, "ABORTED")])
def test_an_end_that_no_rule_heard_is_told_again_once_the_template_is_there(states, cloud, ends, status):
    """Rules come from the template, which is deployed after the services have started, and ends with them."""
    running = states.start(WAIT)
    until_entered(states, running)
    ends(Executions(cloud) if ends is Executions.recover else states.service.executions)
    cloud.events.clear()
    again = Executions(cloud)
    again.tell_again()
    again.tell_again()
    assert [(event["detail"]["executionArn"], event["detail"]["status"]) for event in cloud.events] == [
        (running, status)
    ]
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
