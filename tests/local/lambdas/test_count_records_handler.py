"""The function that counts new records, against a table, a bucket and a topic of moto's."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto_platform import moto_platform
from one_at_a_time import OneAtATime

import count_records.handler as count
import shared.clients
from count_records.domain import KNOWN
from shared.table import from_item, records_key

if TYPE_CHECKING:
    from collections.abc import Iterator

MACHINE = "arn:aws:states:eu-west-1:123456789012:stateMachine:penguins"
PREFIX = "s3://data/incoming/penguins/"
ENVIRONMENT = {
    "PIPELINE": "penguins",
    "TABLE_NAME": "mw-dev",
    "STATE_MACHINE_ARN": MACHINE,
    "DATA_PREFIX": PREFIX,
    "EVERY_RECORDS": "10",
}


class Machines:
    """Step Functions: a name and an input are one execution; the same name with another input is refused."""

    def __init__(self) -> None:
        self.started: dict[str, str] = {}
        self.refuses = 0
        self.dies_after = 0

    def start_execution(self, *, stateMachineArn: str, name: str, input: str) -> dict[str, str]:  # noqa: A002, N803 # AWS's own names
        assert stateMachineArn == MACHINE
        if self.refuses:
            self.refuses -= 1
            raise ClientError({"Error": {"Code": "ThrottlingException", "Message": "slow down"}}, "StartExecution")
        assert self.started.setdefault(name, input) == input
        if self.dies_after:
            self.dies_after -= 1
            raise TimeoutError
        return {"executionArn": f"{MACHINE.replace('stateMachine', 'execution')}:{name}"}


class Topic:
    """What was published."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []

    def publish(self, **message: Any) -> None:
        self.messages.append(message)


@pytest.fixture
def topic() -> Topic:
    return Topic()


@pytest.fixture(autouse=True)
def machines(monkeypatch: pytest.MonkeyPatch, topic: Topic) -> Iterator[Machines]:
    real, found, lock = shared.clients.client, Machines(), Lock()
    fakes = {"stepfunctions": found, "sns": topic}
    monkeypatch.setattr(count, "client", lambda name: fakes.get(name) or OneAtATime(real(name), lock))
    with moto_platform(monkeypatch, {**ENVIRONMENT, "TOPIC_ARN": "arn:topic"}, "data"):
        boto3.client("s3").put_bucket_versioning(Bucket="data", VersioningConfiguration={"Status": "Enabled"})
        yield found


def put(name: str, records: int | bytes) -> dict[str, Any]:
    """Put an object with so many records there; the event that tells of it."""
    key = f"incoming/penguins/{name}"
    body = records if isinstance(records, bytes) else ("a,b\n" + "1,2\n" * records).encode()
    version = boto3.client("s3").put_object(Bucket="data", Key=key, Body=body)["VersionId"]
    found = {"key": key, "size": len(body), "version-id": version, "sequencer": "0A"}
    return {"source": "aws.s3", "detail": {"bucket": {"name": "data"}, "object": found}}


def told(event: dict[str, Any]) -> dict[str, Any]:
    return count.handler(event, None)


def waiting() -> int:
    item = boto3.client("dynamodb").get_item(TableName="mw-dev", Key=records_key("penguins")).get("Item")
    found = from_item(item) if item else {}
    assert "pending" not in found
    return int(found.get("records", 0))


def test_below_the_number_nothing_starts(machines: Machines) -> None:
    assert told(put("a.csv", 4)) == {"records": 4, "started": []}
    assert told(put("b.csv", 5)) == {"records": 5, "started": []}
    assert (waiting(), machines.started) == (9, {})


def test_at_the_number_one_run_starts_on_all_data(machines: Machines) -> None:
    told(put("a.csv", 9))
    (execution,) = told(put("b.csv", 1))["started"]
    ((name, text),) = machines.started.items()
    assert execution == f"arn:aws:states:eu-west-1:123456789012:execution:penguins:{name}"
    found = json.loads(text)
    assert (found["data"], found["release"], found["trigger"]) == (PREFIX, "default", {"kind": "data", "id": name})
    assert waiting() == 0


def test_one_large_file_is_one_run_and_the_count_begins_anew(machines: Machines) -> None:
    assert len(told(put("a.csv", 35))["started"]) == 1
    assert waiting() == 0
    told(put("b.csv", 9))
    assert (waiting(), len(machines.started)) == (9, 1)


def test_the_same_event_again_counts_nothing() -> None:
    event = put("a.csv", 4)
    assert [told(event)["records"] for _ in range(3)] == [4, 0, 0]
    assert waiting() == 4


def test_an_object_that_is_written_anew_counts_again_and_one_that_is_deleted_takes_nothing_off() -> None:
    told(put("a.csv", 4))
    told(put("a.csv", 3))
    assert waiting() == 7
    boto3.client("s3").delete_object(Bucket="data", Key="incoming/penguins/a.csv")
    assert waiting() == 7


def test_each_version_is_counted_as_it_was_written() -> None:
    first, second = put("a.csv", 4), put("a.csv", 3)
    assert (told(first)["records"], told(second)["records"]) == (4, 3)


def test_what_was_deleted_for_good_before_it_was_counted_is_nothing() -> None:
    event = put("a.csv", 4)
    found = event["detail"]["object"]
    boto3.client("s3").delete_object(Bucket="data", Key=found["key"], VersionId=found["version-id"])
    assert told(event) == {"records": 0, "started": []}


def test_markers_are_not_looked_at(topic: Topic) -> None:
    assert told(put("day-1/_SUCCESS", b""))["records"] == 0
    assert told(put("day-1/", b""))["records"] == 0
    assert topic.messages == []


def test_what_cannot_be_counted_is_told_once_and_is_no_crash(topic: Topic, capsys: pytest.CaptureFixture[str]) -> None:
    event = put("a.parquet", b"PAR1")
    assert told(event) == {"records": 0, "started": []}
    assert told(event) == {"records": 0, "started": []}
    (message,) = topic.messages
    assert message["Subject"] == "penguins: new data not counted"
    assert message["Message"].splitlines() == [
        "New data of penguins could not be counted, so they bring no run nearer.",
        "Object: s3://data/incoming/penguins/a.parquet",
        "Reason: its name ends with none of .csv, .csv.gz, .jsonl, .jsonl.gz, .ndjson, .ndjson.gz, .json, .json.gz.",
        f"What to do: put them there as {', '.join(KNOWN)}, or start a run by hand: modelwright run penguins.",
    ]
    assert '"error": "UncountableData"' in capsys.readouterr().out


def test_many_at_once_lose_nothing_and_start_once_for_each_crossing(machines: Machines) -> None:
    events = [put(f"{number}.csv", 1) for number in range(25)]
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(told, [*events, *events]))
    assert sum(each["records"] for each in found) == 25
    taken = 25 - waiting()
    assert 1 <= len(machines.started) <= 2
    assert taken >= 10 * len(machines.started)
    assert waiting() < 10


def test_a_start_that_is_refused_is_made_up_for_by_whoever_comes_next(machines: Machines) -> None:
    machines.refuses = 1
    event = put("a.csv", 12)
    with pytest.raises(ClientError, match="ThrottlingException"):
        told(event)
    assert len(told(event)["started"]) == 1, "Lambda tries again: the object is counted, the start is due"
    assert (waiting(), len(machines.started)) == (0, 1)


def test_a_start_whose_answer_was_lost_is_the_same_execution(machines: Machines) -> None:
    machines.dies_after = 1
    with pytest.raises(TimeoutError):
        told(put("a.csv", 12))
    assert len(told(put("b.csv", 3))["started"]) == 1
    assert len(machines.started) == 1
    assert waiting() == 3, "what came after the run's start waits for the next"


def test_an_execution_that_is_over_already_counts_as_started(
    machines: Machines, monkeypatch: pytest.MonkeyPatch
) -> None:
    def over(**_: str) -> dict[str, str]:
        raise ClientError({"Error": {"Code": "ExecutionAlreadyExists", "Message": "no"}}, "StartExecution")

    monkeypatch.setattr(machines, "start_execution", over)
    assert len(told(put("a.csv", 12))["started"]) == 1
    assert waiting() == 0


def test_a_fault_of_s3_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    class Body:
        def read(self, _amount: int) -> bytes:
            raise ConnectionError

    event, real = put("a.csv", 4), count.client
    broken = type("S3", (), {"get_object": lambda *_, **__: {"Body": Body()}})()
    with monkeypatch.context() as patch:
        patch.setattr(count, "client", lambda name: broken if name == "s3" else real(name))
        with pytest.raises(ConnectionError):
            told(event)
    assert told(event)["records"] == 4
