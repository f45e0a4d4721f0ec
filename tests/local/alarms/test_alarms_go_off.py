"""Each alarm of the template goes off in the local cloud by what it is there for; a person can read what it tells."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from alarm_stage import NO_RELEASE
from alarm_watch import (
    API_ERRORS,
    API_REFUSALS,
    CLOSING,
    DEAD_LETTERS,
    FAILED,
    FLOOR,
    FULL,
    FUNCTION_ERRORS,
    FUNCTION_THROTTLES,
    GATE_FLOORS,
    INSTANCES,
    LATENCY,
    REFUSALS,
    REST,
    RULE,
    SERVER_ERRORS,
    THROTTLED,
    TIMED_OUT,
    TRIGGER_FUNCTION,
    metrics_of,
)
from template_queries import read_stacks

from modelwright.local.calls.direct import Direct
from stacks.constructs.merge_codecommit import EVENT_PATH

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from alarm_stage import AlarmStage


def failing_run(at: AlarmStage) -> None:
    assert at.run(NO_RELEASE) == "FAILED"


def endless_run(at: AlarmStage) -> None:
    """The machine is given a second instead of hours: nothing else of it is changed."""
    client = Direct(at.cloud, "stepfunctions")
    machine = at.deployment.state_machine_arn
    definition = client.describe_state_machine(stateMachineArn=machine)["definition"]
    role = client.describe_state_machine(stateMachineArn=machine)["roleArn"]
    hurried = json.dumps({**json.loads(definition), "TimeoutSeconds": 1})
    client.update_state_machine(stateMachineArn=machine, definition=hurried, roleArn=role)
    try:
        assert at.run("endless") == "TIMED_OUT"
    finally:
        client.update_state_machine(stateMachineArn=machine, definition=definition, roleArn=role)


def throttled_run(at: AlarmStage) -> None:
    """The local cloud has no quota of state transitions: the metric that Step Functions sends is sent here."""
    dimensions = {"StateMachineArn": at.deployment.state_machine_arn}
    at.cloud.put_metric("AWS/States", "ExecutionThrottled", 1, "Count", dimensions)


def week_without_training(at: AlarmStage) -> None:
    assert at.run("good") == "SUCCEEDED"
    at.monitoring.evaluate()
    with at.clock.later(days=7, hours=11):
        at.monitoring.evaluate()
        assert not [each for each in at.alarms() if metrics_of(each) == REST and each["StateValue"] == "ALARM"]
    with at.clock.later(days=7, hours=13):
        at.monitoring.evaluate()
    at.monitoring.evaluate()


def broken_function(at: AlarmStage) -> None:
    at.invoke("AcquireDeploymentFunction")


def refused_function(at: AlarmStage) -> None:
    client, name = at.client("lambda"), at.physical("PrepareRunFunction")
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    at.invoke("PrepareRunFunction")
    client.delete_function_concurrency(FunctionName=name)


def undelivered_event(at: AlarmStage) -> None:
    """A rule on our own bus, whose metrics are named with the bus."""
    role = at.arn("RuleRole")
    rule = next(ref for ref in at.cloud.iam.statements() if ref.owner == role and ref.statement == "StartExecutions")
    merge = {"pipeline": "penguins", "branch": "main", "commit": "d" * 40, "release": NO_RELEASE}
    detail = json.dumps({**merge, EVENT_PATH.removeprefix("$.detail."): "e-1"})
    entry = {"EventBusName": at.deployment.event_bus, "Source": "modelwright", "DetailType": "Merge", "Detail": detail}
    with at.cloud.iam.without(rule):
        at.client("events").put_events(Entries=[entry])
    at.client("sqs").purge_queue(QueueUrl=at.physical("DeadLetterQueue"))


def model_under_a_floor(at: AlarmStage) -> None:
    assert at.run("bad") == "SUCCEEDED"


def serving(at: AlarmStage) -> None:
    if not at.serves_well():
        assert at.run("good") == "SUCCEEDED"
    at.ask("1")


def good_model(at: AlarmStage) -> None:
    """The alarms of models keep their state until there is another one."""
    assert at.run("good") == "SUCCEEDED"


def in_two_minutes(act: Callable[[AlarmStage], None]) -> Callable[[AlarmStage], None]:
    def twice(at: AlarmStage) -> None:
        act(at)
        at.runtime.flush()
        at.clock.advance(minutes=1)
        act(at)

    return twice


def model_errors(at: AlarmStage) -> None:
    at.ask("break", times=3)


def slow_answers(at: AlarmStage) -> None:
    at.ask("slow")


def wrong_requests(at: AlarmStage) -> None:
    at.ask("wrong", times=30)


def requests_without_an_instance(at: AlarmStage) -> None:
    for member in at.cloud.services["sagemaker"].endpoints.running()[at.deployment.endpoint_name].members:  # type: ignore[attr-defined]
        member.server.stop()
    at.ask("1")
    at.client("sagemaker").delete_endpoint(EndpointName=at.deployment.endpoint_name)  # a next test has another one
    at.settled()


def full_instance(at: AlarmStage) -> None:
    """This machine's memory is not to be filled: what SageMaker would report is sent here, for a quarter of an hour."""
    dimensions = {"EndpointName": at.deployment.endpoint_name, "VariantName": "AllTraffic"}
    for _ in range(3):
        at.clock.advance(minutes=5)
        at.cloud.put_metric("/aws/sagemaker/Endpoints", "DiskUtilization", 10, "Percent", dimensions)
        at.cloud.put_metric("/aws/sagemaker/Endpoints", "MemoryUtilization", 95, "Percent", dimensions)


def api_errors(at: AlarmStage) -> None:
    assert at.ask_api("break", times=8) == {502}


def api_refusals(at: AlarmStage) -> None:
    assert at.ask_api("wrong", times=30) == {400}


def merge_that_cannot_be_published(at: AlarmStage) -> None:
    at.invoke("PublishMergeFunction")


def data_that_cannot_be_counted(at: AlarmStage) -> None:
    at.invoke("CountRecordsFunction")


def run_that_cannot_be_closed(at: AlarmStage) -> None:
    at.invoke("CloseRunFunction")


FIRED: dict[tuple[frozenset[str], str], tuple[Callable[[AlarmStage], None], str]] = {
    (FAILED, ""): (failing_run, "A run of penguins failed."),
    (TIMED_OUT, ""): (endless_run, "took too long"),
    (THROTTLED, ""): (throttled_run, "delays the runs"),
    (REST, ""): (week_without_training, "No model of penguins was trained in the last 7 days"),
    (FUNCTION_ERRORS, ""): (broken_function, "A function of penguins broke."),
    (FUNCTION_THROTTLES, ""): (refused_function, "Lambda refused"),
    (RULE, ""): (undelivered_event, "An event that should have started penguins did not reach it."),
    (DEAD_LETTERS, ""): (undelivered_event, "Events lie in the dead-letter queue"),
    (TRIGGER_FUNCTION, "merge"): (merge_that_cannot_be_published, "A merge could not be published for penguins"),
    (TRIGGER_FUNCTION, "counted"): (data_that_cannot_be_counted, "New data of penguins could not be counted"),
    (CLOSING, ""): (run_that_cannot_be_closed, "that did not end well could not be closed"),
    (GATE_FLOORS, ""): (model_under_a_floor, "A model of penguins is under a floor of its gate."),
    (FLOOR, ""): (model_under_a_floor, "accuracy of a model of penguins is under 0.7."),
    (SERVER_ERRORS, ""): (in_two_minutes(model_errors), "errors of the model (5xx)."),
    (LATENCY, ""): (in_two_minutes(slow_answers), "takes more than 1000 ms"),
    (REFUSALS, ""): (wrong_requests, "the request is wrong (4xx)."),
    (API_ERRORS, ""): (api_errors, "of what the API of penguins answers are errors (5xx)."),
    (API_REFUSALS, ""): (api_refusals, "of the requests to the API of penguins were refused (4xx)"),
    (INSTANCES, ""): (requests_without_an_instance, "no instance of it is running"),
    (FULL, ""): (full_instance, "more than 90 % of its memory or of its disk"),
}
"""What an alarm watches (and says, where two watch the same), what makes it go off, and what is then told."""
BEFORE = {
    **dict.fromkeys((SERVER_ERRORS, LATENCY, REFUSALS, INSTANCES, API_ERRORS, API_REFUSALS), serving),
    **dict.fromkeys((FLOOR, GATE_FLOORS), good_model),
}
"""What there has to be before."""


@pytest.mark.parametrize(("watched", "saying"), FIRED, ids=[act.__name__ for act, _ in FIRED.values()])
def test_it_goes_off_and_says_what_to_do(at: AlarmStage, watched: frozenset[str], saying: str) -> None:
    act, what = FIRED[watched, saying]
    if watched in BEFORE:
        at.calm()
        BEFORE[watched](at)
    at.calm()
    text = at.told(lambda: act(at), watched, saying).splitlines()
    assert what in text[0]
    assert [line.split(":")[0] for line in text[1:]] == ["measured", "since", "what to do", "alarm"]
    assert "--aws" not in "".join(text)


def test_every_alarm_of_every_template_is_one_of_those(assembly: Path, fullest_assembly: Path) -> None:
    """A new alarm needs something above that makes it go off."""
    for stack in (*read_stacks(assembly), *read_stacks(fullest_assembly)):
        for logical_id, alarm in stack.all("AWS::CloudWatch::Alarm").items():
            mine = [key for key in FIRED if metrics_of(alarm) == key[0] and key[1] in alarm["AlarmDescription"]]
            assert len(mine) == 1, f"{stack.name} {logical_id} watches {sorted(metrics_of(alarm))}"
