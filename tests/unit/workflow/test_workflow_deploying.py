"""A model that passed its gate comes to the endpoint: lease, update, watching, smoke test, and the way back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from workflow_answers import (
    CONFIG,
    ENDPOINT,
    alarm,
    described,
    watched,
)
from workflow_paths import OLD, arguments, payload, walk
from workflow_walk import TaskError


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
