"""`PrepareRun`: the same merge again, whatever became of the first."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import boto3
import pytest
from prepare_ground import A, B, Executions, end, execution, kept, merge, release, start

import prepare_run.handler as prepare
from shared.errors import ReleaseNotFound
from shared.run_id import run_id
from shared.table import run_key

pytestmark = pytest.mark.usefixtures("executions")


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
