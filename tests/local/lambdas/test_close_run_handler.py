"""The function that closes runs, against a table of moto's: what comes again, or late, changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto_platform import moto_platform

import close_run.handler as close
from shared.run_id import run_id
from shared.table import champion_key, lease_key, read_item, run_key, to_item

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shared.table import Key

EXECUTION = "arn:aws:states:eu-west-1:123456789012:execution:mw-dev-penguins:one"
RUN = run_id(EXECUTION)
ENDPOINT = "mw-dev-penguins"
MINE, OLD = f"dev-penguins-{RUN}-00", "dev-penguins-aaaaaaaaaaaa-00"
ENVIRONMENT = {
    "PIPELINE": "penguins",
    "ENVIRONMENT": "dev",
    "TABLE_NAME": "mw-dev",
    "TOPIC_ARN": "arn:topic",
    "ENDPOINT_NAME": ENDPOINT,
}


class Outside:
    """The endpoint, the topic, and conflicts with transactions of others."""

    def __init__(self) -> None:
        self.answers: list[dict[str, Any] | None] = [None]
        self.messages: list[dict[str, Any]] = []
        self.conflicts = 0
        self.breaks = ""

    def describe_endpoint(self, *, EndpointName: str) -> dict[str, Any]:  # noqa: N803 # AWS's own name
        assert EndpointName == ENDPOINT
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if answer is None:
            text = f'Could not find endpoint "{EndpointName}".'
            raise ClientError({"Error": {"Code": "ValidationException", "Message": text}}, "DescribeEndpoint")
        return answer

    def publish(self, **message: Any) -> None:
        if self.breaks == "publish":
            raise ClientError({"Error": {"Code": "ThrottlingException", "Message": "slow down"}}, "Publish")
        self.messages.append(message)


class Table:
    """moto's, with the conflicts that a transaction of somebody else makes."""

    def __init__(self, outside: Outside) -> None:
        self._outside, self._real = outside, boto3.client("dynamodb")

    def get_item(self, **request: Any) -> Any:
        return self._real.get_item(**request)

    def update_item(self, **request: Any) -> Any:
        if self._outside.conflicts:
            self._outside.conflicts -= 1
            raise ClientError({"Error": {"Code": "TransactionConflictException", "Message": "x"}}, "UpdateItem")
        return self._real.update_item(**request)


@pytest.fixture(autouse=True)
def outside(monkeypatch: pytest.MonkeyPatch) -> Iterator[Outside]:
    monkeypatch.setattr(close, "LOOK_SECONDS", 0.0)
    found = Outside()
    with moto_platform(monkeypatch, ENVIRONMENT):
        table = Table(found)
        monkeypatch.setattr(close, "client", lambda name: table if name == "dynamodb" else found)
        yield found


def put(key: Key, **values: Any) -> None:
    boto3.client("dynamodb").put_item(TableName="mw-dev", Item={**key, **to_item(values)})


def item(key: Key) -> dict[str, Any]:
    found = read_item(boto3.client("dynamodb"), "mw-dev", key) or {}
    return {name: value for name, value in found.items() if name not in {"pk", "sk"}}


def running(**more: Any) -> None:
    put(run_key("penguins", RUN), execution=EXECUTION, status="Running", **more)


def lease(execution: str) -> None:
    put(lease_key(ENDPOINT), execution=execution, fence=7, expires_at_epoch_seconds=9999999999)


def champion(run: str = "a" * 12, config: str = OLD) -> None:
    put(champion_key("penguins"), run=run, release="5" * 64, endpoint_config=config)


def ended(status: str = "ABORTED") -> dict[str, Any]:
    detail = {"executionArn": EXECUTION, "status": status, "startDate": 1551225014968, "stopDate": 1551225017576}
    return close.handler({"source": "aws.states", "detail": detail}, None)


def serves(config: str, status: str = "InService") -> dict[str, Any]:
    return {"EndpointStatus": status, "EndpointConfigName": config}


@pytest.mark.parametrize(
    ("status", "expected"), [("ABORTED", "Stopped"), ("TIMED_OUT", "TimedOut"), ("FAILED", "Failed")]
)
def test_a_run_that_goes_on_is_closed_and_its_lease_is_free(status: str, expected: str) -> None:
    running(release="r")
    lease(EXECUTION)
    assert ended(status) == {"run": RUN, "closed": True, "lease_freed": True, "untested": None}
    assert item(run_key("penguins", RUN)) == {
        "execution": EXECUTION,
        "status": expected,
        "ended_at": "2019-02-26T23:50:17.576Z",
        "closed_by": "close_run",
        "release": "r",
    }
    assert item(lease_key(ENDPOINT)) == {"fence": 7}


@pytest.mark.parametrize("status", ["Deployed", "Failed", "Rejected", "Registered", "Superseded", "Stopped"])
def test_a_run_that_has_an_end_keeps_it(status: str) -> None:
    put(run_key("penguins", RUN), status=status, ended_at="before")
    assert not ended()["closed"]
    assert item(run_key("penguins", RUN)) == {"status": status, "ended_at": "before"}


def test_another_runs_lease_stays() -> None:
    running()
    lease("arn:of:another")
    assert not ended()["lease_freed"]
    assert item(lease_key(ENDPOINT))["execution"] == "arn:of:another"


def test_a_deployed_run_that_was_stopped_before_it_gave_its_lease_back_does_so(outside: Outside) -> None:
    put(run_key("penguins", RUN), status="Deployed")
    lease(EXECUTION)
    champion(RUN, MINE)
    outside.answers = [serves(MINE)]
    assert ended() == {"run": RUN, "closed": False, "lease_freed": True, "untested": None}
    assert outside.messages == []


def test_an_execution_that_wrote_nothing_gets_no_item(outside: Outside) -> None:
    outside.answers = [serves(OLD)]
    assert ended() == {"run": RUN, "closed": False, "lease_freed": False, "untested": None}
    assert boto3.client("dynamodb").scan(TableName="mw-dev")["Items"] == []


def test_an_untested_model_is_told_once(outside: Outside) -> None:
    running()
    lease(EXECUTION)
    champion()
    outside.answers = [serves(MINE)]
    assert ended()["untested"] == MINE
    assert ended() == {"run": RUN, "closed": False, "lease_freed": False, "untested": None}
    (message,) = outside.messages
    assert (message["TopicArn"], message["Subject"]) == ("arn:topic", "penguins: an untested model serves")
    assert OLD in message["Message"]
    assert item(run_key("penguins", RUN))["untested"] == MINE


def test_a_run_that_failed_past_its_states_is_looked_after_and_one_that_they_closed_is_not(outside: Outside) -> None:
    outside.answers = [serves(MINE, "Failed")]
    put(run_key("penguins", RUN), status="Failed", ended_at="before")
    lease(EXECUTION)
    assert ended("FAILED") == {"run": RUN, "closed": False, "lease_freed": True, "untested": None}
    running()
    lease(EXECUTION)
    assert ended("FAILED") == {"run": RUN, "closed": True, "lease_freed": True, "untested": MINE}
    assert "failed past all its states after it had changed the endpoint" in outside.messages[0]["Message"]
    assert ended("FAILED")["untested"] is None


def test_what_could_not_be_told_is_told_by_the_next_attempt(outside: Outside) -> None:
    running()
    lease(EXECUTION)
    outside.answers, outside.breaks = [serves(MINE)], "publish"
    with pytest.raises(ClientError):
        ended()
    outside.breaks = ""
    assert ended()["untested"] == MINE
    assert len(outside.messages) == 1


def test_a_late_event_finds_the_next_run_and_leaves_it_alone(outside: Outside) -> None:
    running()
    lease("arn:of:the:next")
    champion("b" * 12, "dev-penguins-bbbbbbbbbbbb-00")
    outside.answers = [serves("dev-penguins-bbbbbbbbbbbb-00")]
    assert ended() == {"run": RUN, "closed": True, "lease_freed": False, "untested": None}
    assert outside.messages == []


def test_an_update_that_has_only_just_begun_is_waited_for(outside: Outside, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(close, "LOOK_SECONDS", 0.1)
    monkeypatch.setattr(close.time, "sleep", lambda _: None)
    running()
    lease(EXECUTION)
    champion()
    coming = {**serves(OLD, "Updating"), "PendingDeploymentSummary": {"EndpointConfigName": MINE}}
    outside.answers = [serves(OLD), serves(OLD), coming]
    assert ended()["untested"] == MINE
    assert "is being given" in outside.messages[0]["Message"]


def test_transactions_of_others_pass(outside: Outside, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(close.time, "sleep", lambda _: None)
    running()
    outside.conflicts = 3
    assert ended()["closed"]
    running()
    outside.conflicts = 10_000
    with pytest.raises(RuntimeError, match=RUN):
        ended()


def test_without_an_endpoint_only_the_run_is_closed(outside: Outside, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ENDPOINT_NAME")
    monkeypatch.delenv("TOPIC_ARN")
    running()
    outside.answers = [serves(MINE)]
    assert ended() == {"run": RUN, "closed": True, "lease_freed": False, "untested": None}
    assert outside.messages == []


def test_an_endpoint_that_cannot_be_looked_at_is_an_error(outside: Outside) -> None:
    running()

    def refused(**_: str) -> None:
        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "DescribeEndpoint")

    outside.describe_endpoint = refused  # type: ignore[assignment,method-assign] # the fake is changed, not ours
    with pytest.raises(ClientError):
        ended()
    assert item(run_key("penguins", RUN))["status"] == "Stopped"
