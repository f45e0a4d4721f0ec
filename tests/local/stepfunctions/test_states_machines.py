"""State machines: made, changed, refused; their roles and their logs."""

import json

import pytest
from tiny_machines import LOGGED, PASS, WAIT, until_entered

from modelwright.local.service import AwsError
from modelwright.local.stepfunctions import machines


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
