"""Putting data where a pipeline watches, and seeing what they start."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fake_aws import PENGUINS, FakeSession, Pauses

from modelwright.client.runs import new_data
from modelwright.client.runs.new_data import Delivery, counted, deliver, last_started, started_by_marker
from modelwright.config.load import load_project
from modelwright.config.pipeline import DataSettings, TriggerSettings
from modelwright.errors import DataNotFound, EventRefused, WrongUsage

ROOT = Path(__file__).parents[3]
MACHINE = PENGUINS.state_machine_arn


class Bucket:
    """S3: each object has a version."""

    def __init__(self) -> None:
        self.keys: list[str] = []

    def put_object(self, *, Bucket: str, Key: str, Body: Any) -> dict[str, str]:  # noqa: N803 # AWS's own names
        assert Bucket == "data"
        assert Body == b"" or Body.read()
        self.keys.append(Key)
        return {"VersionId": f"v{len(self.keys)}"}


class Executions:
    """Step Functions: inputs by name, the newest first."""

    def __init__(self, *inputs: Any) -> None:
        self.inputs = [json.dumps(each) for each in inputs]

    def get_paginator(self, _operation: str) -> Any:
        names = [f"{MACHINE}:{number}" for number in range(len(self.inputs))]
        page = {"executions": [{"executionArn": name, "name": name} for name in names]}
        return SimpleNamespace(paginate=lambda **_: iter([page]))

    def describe_execution(self, *, executionArn: str) -> dict[str, Any]:  # noqa: N803 # AWS's own name
        text = self.inputs[int(executionArn.rpartition(":")[2])]
        return {"name": "x", "status": "RUNNING", "startDate": None, "input": text}


class Table:
    """DynamoDB: items that appear one look after the other."""

    def __init__(self, *looks: dict[str, Any]) -> None:
        self.looks = list(looks)

    def get_item(self, *, TableName: str, Key: Any, ConsistentRead: bool) -> dict[str, Any]:  # noqa: N803 # as above
        assert (TableName, ConsistentRead, Key["pk"]) == ("mw-dev", True, {"S": "RECORDS#penguins"})
        items = self.looks[0]
        if Key["sk"]["S"] == "WAITING" and len(self.looks) > 1:
            self.looks.pop(0)  # it is asked for last
        found = items.get(Key["sk"]["S"])
        return {"Item": found} if found else {}


def settings(source: str = "data/penguins.csv", **triggers: Any) -> Any:
    given = {"data_marker": "_SUCCESS", **triggers}
    found = load_project(ROOT).pipeline("penguins")
    return dataclasses.replace(found, data=DataSettings(source), triggers=TriggerSettings("main", **given))


def make_delivery(settings: Any, sources: list[Path]) -> Delivery:
    return new_data.make_delivery(settings, PENGUINS, new_data.collect(settings, sources), "new")


def test_without_files_it_is_the_pipelines_own_data() -> None:
    found = make_delivery(settings(), [])
    assert [name for name, _ in found.files] == ["penguins.csv"]
    assert (found.uri, found.marker) == ("s3://data/incoming/penguins/new/", "_SUCCESS")


def test_a_folder_keeps_its_names_and_leaves_hidden_files_and_an_old_marker_out(tmp_path: Path) -> None:
    for name in ("b.csv", "sub/a.csv", "_SUCCESS", ".hidden", ".git/x"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    found = make_delivery(settings(), [tmp_path])
    assert [name for name, _ in found.files] == ["b.csv", "sub/a.csv"]


def test_foreign_data_go_under_the_source(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x")
    foreign = settings("s3://their-bucket/raw/2026/")
    found = make_delivery(foreign, [tmp_path / "a.csv"])
    assert found.uri == "s3://their-bucket/raw/2026/new/"
    with pytest.raises(WrongUsage, match="Which data are to be put under s3://their-bucket/raw/2026/"):
        make_delivery(foreign, [])


def test_what_cannot_be_delivered_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for name in ("x", "y"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.csv").write_text("x")
    with pytest.raises(WrongUsage, match="No data start penguins"):
        make_delivery(settings(data_marker=None), [])
    with pytest.raises(DataNotFound, match="There is no data at"):
        make_delivery(settings(), [tmp_path / "missing"])
    with pytest.raises(DataNotFound, match="There is no data file in"):
        make_delivery(settings(), [tmp_path / "empty"])
    with pytest.raises(WrongUsage, match=r"Two of the files would be a\.csv"):
        make_delivery(settings(), [tmp_path / "x", tmp_path / "y"])


def delivery(tmp_path: Path, count: int, marker: str | None = "_SUCCESS") -> Delivery:
    (tmp_path / "f").write_text("x")
    files = tuple((f"{number}.csv", tmp_path / "f") for number in range(count))
    return Delivery("data", "incoming/penguins/", "new", files, marker)


def test_the_marker_is_put_when_everything_else_is_there(tmp_path: Path) -> None:
    bucket = Bucket()
    found = deliver(FakeSession(s3=bucket), delivery(tmp_path, 20))
    assert len(bucket.keys) == 21
    assert bucket.keys[-1] == found[-1][0] == "incoming/penguins/new/_SUCCESS"
    assert sorted(key for key, _ in found) == sorted(bucket.keys)


def test_without_a_marker_there_are_the_files_alone(tmp_path: Path) -> None:
    bucket = Bucket()
    deliver(FakeSession(s3=bucket), delivery(tmp_path, 1, None))
    assert bucket.keys == ["incoming/penguins/new/0.csv"]


def trigger(key: str, bucket: str = "data") -> dict[str, Any]:
    return {"trigger": {"kind": "data", "id": "e", "bucket": {"name": bucket}, "object": {"key": key}}}


def test_the_execution_whose_input_names_the_marker_is_found() -> None:
    inputs = [{"trigger": {"kind": "manual", "id": "x"}}, trigger("k", "other"), trigger("other"), trigger("k"), "text"]
    session = FakeSession(stepfunctions=Executions(*inputs))
    assert started_by_marker(session, PENGUINS, "data", "k", Pauses()) == f"{MACHINE}:3"


def test_a_marker_that_starts_nothing_is_said_to() -> None:
    pauses = Pauses()
    with pytest.raises(EventRefused, match=r"s3://data/k started no execution within 120 s") as caught:
        started_by_marker(FakeSession(stepfunctions=Executions()), PENGUINS, "data", "k", pauses)
    assert "inbox" in str(caught.value.hint)
    on_aws = FakeSession(is_local=False, stepfunctions=Executions())
    with pytest.raises(EventRefused) as caught:
        started_by_marker(on_aws, PENGUINS, "data", "k", pauses)
    assert caught.value.hint == "Does data tell EventBridge of new objects, and is the event in the dead-letter queue?"


def item(key: str, version: str, records: int, problem: str | None = None) -> dict[str, Any]:
    name = hashlib.sha256(f"s3://data/{key}#{version}".encode()).hexdigest()
    found = {"uri": {"S": f"s3://data/{key}"}, "records": {"N": str(records)}}
    return {f"OBJECT#{name}": found | ({"problem": {"S": problem}} if problem else {})}


def waiting(records: int, **more: Any) -> dict[str, Any]:
    return {"WAITING": {"records": {"N": str(records)}, **more}}


def test_the_count_is_waited_for() -> None:
    one, two = item("a", "v1", 3), item("b", "v2", 4)
    table = Table({}, one | waiting(3), one | two | waiting(7))
    session = FakeSession(dynamodb=table)
    found = counted(session, PENGUINS, "data", [("a", "v1"), ("b", "v2")], every=10, before=None, pause=Pauses())
    assert (found.records, found.waiting, found.problems, found.execution) == (7, 7, (), None)


def test_a_run_that_is_about_to_start_is_waited_for() -> None:
    one, execution = item("a", "v1", 3), {"execution": {"S": "arn:2"}}
    table = Table(one | waiting(3), one | waiting(3, pending={"M": {}}), one | waiting(0, **execution))
    session = FakeSession(dynamodb=table)
    assert (
        counted(session, PENGUINS, "data", [("a", "v1")], every=3, before="arn:1", pause=Pauses()).execution == "arn:2"
    )
    assert last_started(session, PENGUINS) == "arn:2"
    assert counted(session, PENGUINS, "data", [("a", "v1")], every=3, before="arn:2", pause=Pauses()).execution is None


def test_what_was_not_counted_is_told() -> None:
    session = FakeSession(dynamodb=Table(item("a.txt", "v1", 0, "no") | waiting(0)))
    found = counted(session, PENGUINS, "data", [("a.txt", "v1")], every=10, before=None, pause=Pauses())
    assert found.problems == ("s3://data/a.txt: no",)
    with pytest.raises(EventRefused, match=r"s3://data/b was not taken up within 120 s"):
        counted(session, PENGUINS, "data", [("b", "v1")], every=10, before=None, pause=Pauses())
