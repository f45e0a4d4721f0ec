"""PrepareRun against a table of moto's: the same merge again, as many runs a day as allowed, data that are complete."""

from __future__ import annotations

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from one_at_a_time import OneAtATime
from workflow_answers import manifest

import prepare_run.handler as prepare
import shared.clients
from shared.errors import InvalidInput, ReleaseNotFound, RunLimitReached
from shared.run_id import run_id
from shared.table import from_item, merged_key, run_key, to_item

if TYPE_CHECKING:
    from collections.abc import Iterator

WATCHED = "s3://data/incoming/penguins/"
ENVIRONMENT = {
    "PIPELINE": "penguins",
    "ENVIRONMENT": "dev",
    "ARTIFACT_BUCKET": "artifacts",
    "TABLE_NAME": "mw-dev",
    "KEY_ARN": "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    "STRUCTURE": "5" * 64,
    "DATA_PREFIX": WATCHED,
    "MAX_RUNS_PER_DAY": "0",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
}
A, B = "a" * 40, "b" * 40


class Executions:
    """Step Functions: how each execution stands."""

    def __init__(self) -> None:
        self.statuses: dict[str, str] = {}
        self.asked: list[str] = []

    def describe_execution(self, *, executionArn: str) -> dict[str, str]:  # noqa: N803 # AWS's own name
        self.asked.append(executionArn)
        status = self.statuses.get(executionArn, "RUNNING")
        if status.endswith(("Exist", "Exception")):
            raise ClientError({"Error": {"Code": status, "Message": "no"}}, "DescribeExecution")
        return {"status": status}


@pytest.fixture(autouse=True)
def executions(monkeypatch: pytest.MonkeyPatch) -> Iterator[Executions]:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    shared.clients.client.cache_clear()
    real, found, lock = shared.clients.client, Executions(), Lock()
    fakes = {"stepfunctions": found}
    monkeypatch.setattr(prepare, "client", lambda name: fakes.get(name) or OneAtATime(real(name), lock))
    with mock_aws():
        boto3.client("s3").create_bucket(
            Bucket="artifacts", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
        )
        boto3.client("dynamodb").create_table(
            TableName="mw-dev",
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
        )
        yield found
    shared.clients.client.cache_clear()


def execution(name: str) -> str:
    return f"arn:aws:states:eu-west-1:1:execution:penguins:{name}"


def release(**changes: Any) -> str:
    content = json.dumps(manifest(**changes), sort_keys=True, separators=(",", ":")).encode()
    name = hashlib.sha256(content).hexdigest()
    boto3.client("s3").put_object(Bucket="artifacts", Key=f"releases/penguins/{name}.json", Body=content)
    return name


def start(
    name: str, trigger: dict[str, Any] | None = None, *, at: str = "2026-11-21T10:00:00.000Z", **given: Any
) -> Any:
    request = {"schema": 1, "pipeline": "penguins", "release": given.pop("release", None) or release(), **given}
    request["trigger"] = {"id": name, **(trigger or {"kind": "manual"})}
    return prepare.handler({"input": request, "execution": {"arn": execution(name), "started_at": at}}, None)


def merge(name: str, commit: str = A, **changes: Any) -> Any:
    """A merge of a commit whose content is the release with these changes."""
    return start(name, {"kind": "merge", "commit": commit}, release=release(commit=commit, **changes))


def end(name: str, status: str) -> None:
    """The run of an execution has ended so."""
    key = run_key("penguins", run_id(execution(name)))
    boto3.client("dynamodb").put_item(TableName="mw-dev", Item={**key, **to_item({"status": status})})


def kept() -> list[str]:
    item = boto3.client("dynamodb").get_item(TableName="mw-dev", Key=merged_key("penguins"))["Item"]
    return [entry["execution"].rpartition(":")[2] for entry in from_item(item)["runs"]]


# The same merge again


@pytest.mark.parametrize("status", ["Deployed", "Rejected", "Registered"])
def test_a_commit_that_changes_nothing_of_the_pipeline_is_unchanged(status: str) -> None:
    assert merge("one", A)["status"] == "Ready"
    end("one", status)
    again = merge("two", B)
    assert (again["status"], again["of"]) == ("Unchanged", execution("one"))
    assert again["run"]["id"] == run_id(execution("two"))
    assert "Item" not in boto3.client("dynamodb").get_item(
        TableName="mw-dev", Key=run_key("penguins", run_id(execution("two")))
    ), "what did not run is no run"
    assert merge("three", B)["of"] == execution("one")


def test_while_the_first_runs_it_is_unchanged_too(executions: Executions) -> None:
    merge("one")
    assert merge("two", B)["status"] == "Unchanged"
    assert executions.asked == [execution("one")]


@pytest.mark.parametrize("status", ["Failed", "Superseded", "Stopped"])
def test_a_run_that_came_to_nothing_does_not_count(status: str) -> None:
    merge("one")
    end("one", status)
    assert merge("two", B)["status"] == "Ready"
    assert kept() == ["two"]


@pytest.mark.parametrize("status", ["ABORTED", "TIMED_OUT", "FAILED", "ExecutionDoesNotExist", "ThrottlingException"])
def test_a_run_that_died_without_a_word_blocks_nobody(executions: Executions, status: str) -> None:
    merge("one")
    executions.statuses[execution("one")] = status
    assert merge("two", B)["status"] == "Ready"


def test_what_has_ended_between_two_looks_is_looked_at_again(
    executions: Executions, monkeypatch: pytest.MonkeyPatch
) -> None:
    merge("one")
    ask = executions.describe_execution

    def describe(**request: str) -> dict[str, str]:
        end("one", "Deployed")
        ask(**request)
        return {"status": "SUCCEEDED"}

    monkeypatch.setattr(executions, "describe_execution", describe)
    assert merge("two", B)["status"] == "Unchanged"


def test_other_content_runs_and_the_way_back_runs_too() -> None:
    merge("one")
    end("one", "Deployed")
    assert merge("two", B, gate=[])["status"] == "Ready"
    end("two", "Deployed")
    assert merge("three", A)["status"] == "Ready"


def test_after_a_failure_the_way_back_is_what_runs_already() -> None:
    merge("one")
    end("one", "Deployed")
    merge("two", B, gate=[])
    assert kept() == ["two", "one"]
    end("two", "Failed")
    assert merge("three", A)["of"] == execution("one")


def test_data_are_content_and_so_is_what_the_input_changes() -> None:
    merge("one")
    end("one", "Deployed")
    other = {"uri": "s3://artifacts/datasets/penguins/1/x.csv", "sha256": "1" * 64}
    assert merge("two", B, data=other)["status"] == "Ready"
    end("two", "Deployed")
    trigger = {"kind": "merge", "commit": B}
    with_override = start("three", trigger, release=release(commit=B, data=other), overrides={"C": "0.5"})
    assert with_override["status"] == "Ready"


def test_a_state_machine_that_was_made_again_has_run_nothing() -> None:
    merge("one")
    end("one", "Deployed")
    given = {"schema": 1, "pipeline": "penguins", "release": release(), "trigger": {"kind": "merge", "id": "x"}}
    new = {"arn": "arn:aws:states:eu-west-1:1:execution:penguins-again:two", "started_at": "2026-11-21T10:00:00.000Z"}
    assert prepare.handler({"input": given, "execution": new}, None)["status"] == "Ready"


def test_only_merges_are_compared() -> None:
    merge("one")
    end("one", "Deployed")
    for kind in ("manual", "schedule", "data"):
        assert start(kind, {"kind": kind}, release=release(commit=A))["status"] == "Ready"
    assert kept() == ["one"]


def test_a_retry_of_the_function_comes_to_the_same_end() -> None:
    assert merge("one")["status"] == "Ready"
    assert merge("one")["status"] == "Ready"
    merge("two", gate=[])
    assert merge("one")["status"] == "Ready"
    assert kept() == ["two", "one"]


def test_of_two_at_once_one_runs() -> None:
    names = [f"n{number}" for number in range(6)]
    for name in names:
        release(commit=name[1] * 40)
    with ThreadPoolExecutor(6) as threads:
        found = list(threads.map(lambda name: merge(name, name[1] * 40), names))
    ready = [name for name, each in zip(names, found, strict=True) if each["status"] == "Ready"]
    assert len(ready) == 1
    assert {each.get("of") for each in found} - {None} == {execution(ready[0])}


def test_a_merge_that_could_not_be_prepared_is_not_the_last_one() -> None:
    with pytest.raises(ReleaseNotFound):
        start("one", {"kind": "merge", "commit": A}, release="0" * 64)
    assert merge("two")["status"] == "Ready"


# Runs of a day


@pytest.fixture
def at_most_two(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAX_RUNS_PER_DAY", "2")


@pytest.mark.usefixtures("at_most_two")
def test_the_run_over_the_limit_is_refused_with_what_to_do() -> None:
    start("one")
    start("two")
    with pytest.raises(RunLimitReached) as caught:
        start("three")
    assert str(caught.value) == (
        "penguins has had its runs of 2026-11-21 (UTC): limits.max_runs_per_day in environments/dev.yaml is 2. "
        "The next may start at 2026-11-22T00:00:00Z; a higher limit there holds from the next deploy on."
    )
    assert "Item" not in boto3.client("dynamodb").get_item(
        TableName="mw-dev", Key=run_key("penguins", run_id(execution("three")))
    )
    assert start("four", at="2026-11-22T00:00:00.000Z")["status"] == "Ready"


@pytest.mark.usefixtures("at_most_two")
def test_a_day_is_one_of_utc_and_that_of_the_executions_start() -> None:
    start("one", at="2026-11-22T01:00:00.000+02:00")
    start("two", at="2026-11-21T23:59:59.999Z")
    with pytest.raises(RunLimitReached, match="2026-11-21"):
        start("three", at="2026-11-21T00:00:00.000Z")


@pytest.mark.usefixtures("at_most_two")
def test_what_does_not_run_does_not_count() -> None:
    merge("one")
    start("two", {"kind": "merge", "id": "one", "commit": A}, release=release(commit=A))  # delivered again
    merge("three", B)  # unchanged
    merge("one")  # the function was tried again
    with pytest.raises(ReleaseNotFound):
        start("four", release="0" * 64)
    start("five")
    with pytest.raises(RunLimitReached):
        start("six")
    start("five")


@pytest.mark.usefixtures("at_most_two")
def test_many_at_once_are_not_more_than_allowed() -> None:
    release()

    def tried(number: int) -> str:
        try:
            return str(start(f"n{number}", release=release())["status"])
        except RunLimitReached:
            return "refused"

    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(tried, range(8)))
    assert sorted(found) == ["Ready"] * 2 + ["refused"] * 6


def test_without_a_limit_nothing_is_counted() -> None:
    for number in range(5):
        start(f"n{number}")
    items = boto3.client("dynamodb").scan(TableName="mw-dev")["Items"]
    assert not [item for item in items if item["sk"]["S"].startswith("DAY#")]


# Data that are complete


def told(key: str, version: str | None = "v1", bucket: str = "data") -> dict[str, Any]:
    found = {"key": key, "size": 0, "sequencer": "1"} | ({"version-id": version} if version else {})
    return {"kind": "data", "bucket": {"name": bucket}, "object": found}


@pytest.mark.parametrize(
    ("key", "data"),
    [
        ("incoming/penguins/day-1/_SUCCESS", "s3://data/incoming/penguins/day-1/"),
        ("incoming/penguins/_SUCCESS", "s3://data/incoming/penguins/"),
        ('incoming/penguins/a "b"+%20 ü\\/c/_SUCCESS', 's3://data/incoming/penguins/a "b"+%20 ü\\/c/'),
    ],
)
def test_the_markers_folder_is_the_data(key: str, data: str) -> None:
    assert start("one", told(key))["run"]["data"] == {"uri": data, "sha256": "not-hashed"}


def test_the_same_marker_is_one_event_however_often_it_is_told() -> None:
    key = "incoming/penguins/day-1/_SUCCESS"
    assert start("one", told(key))["status"] == "Ready"
    again = start("two", told(key))
    assert (again["status"], again["of"]) == ("Duplicate", execution("one"))
    assert start("three", told(key, "v2"))["status"] == "Ready", "written again: new data"
    assert start("four", told("incoming/penguins/day-2/_SUCCESS"))["status"] == "Ready"


def test_in_a_bucket_without_versions_the_sequencer_names_the_writing() -> None:
    key = "incoming/penguins/day-1/_SUCCESS"
    assert start("one", told(key, None))["status"] == "Ready"
    assert start("two", told(key, None))["status"] == "Duplicate"


@pytest.mark.parametrize(
    ("trigger", "given", "message"),
    [
        (
            told("incoming/whales/_SUCCESS"),
            {},
            r"is s3://data/incoming/whales/_SUCCESS, it must be under s3://data/inc",
        ),
        (
            told("incoming/penguins/_SUCCESS", bucket="other"),
            {},
            "is s3://other/incoming/penguins/_SUCCESS, it must be",
        ),
        ({**told("incoming/penguins/_SUCCESS"), "kind": "manual"}, {}, "trigger.object is for trigger.kind 'data'"),
        (told("incoming/penguins/_SUCCESS"), {"data": "s3://x/y"}, "data stands beside trigger.object"),
        ({"kind": "data", "object": {"key": "x"}}, {}, "must be what S3 tells of a new object"),
        ({"kind": "data", "object": "s3://x/y", "bucket": {"name": "x"}}, {}, "must be what S3 tells of a new object"),
    ],
)
def test_another_object_is_refused(trigger: dict[str, Any], given: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        start("one", trigger, **given)
