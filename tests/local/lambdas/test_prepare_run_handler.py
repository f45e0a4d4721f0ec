"""`PrepareRun` against a table and a bucket of moto's: a run is written once, releases are found."""

from __future__ import annotations

import json
from typing import Any

import pytest
from handler_ground import EARLY, ONE, OTHER, item, publish, put
from workflow_answers import EVENT

import prepare_run.handler as prepare
from shared.errors import DeployNeeded, ReleaseNotFound
from shared.run_id import run_id
from shared.table import run_key

pytestmark = pytest.mark.usefixtures("aws")


def start(release: str, execution: str = ONE, **changes: Any) -> dict[str, Any]:
    found = {**EVENT, "release": release, **changes}
    return prepare.handler({"input": found, "execution": {"arn": execution, "started_at": EARLY}}, None)


def test_a_run_is_prepared_and_written() -> None:
    release = publish()
    found = start(release, overrides={"C": "0.5"})

    assert found["status"] == "Ready"
    assert found["train"]["hyperparameters"]["C"] == "0.5"
    written = item(run_key("penguins", run_id(ONE)))
    assert (written["status"], written["release"], written["overrides"]) == ("Running", release, {"C": "0.5"})


def test_an_event_is_taken_once_and_its_own_execution_may_come_back() -> None:
    release = publish()

    assert start(release, ONE)["status"] == "Ready"
    assert start(release, ONE)["status"] == "Ready"
    again = start(release, OTHER)
    assert (again["status"], again["of"]) == ("Duplicate", ONE)
    assert again["run"]["release"] == release


def test_default_and_commit_are_resolved_by_their_pointers() -> None:
    release = publish()
    put("defaults/penguins.json", json.dumps({"release": release}).encode())
    put(f"commits/penguins/{'c' * 40}.json", json.dumps({"release": release}).encode())

    trigger = {"kind": "merge", "id": "e", "commit": "c" * 40}
    assert start("default")["run"]["release"] == release
    assert start("commit", OTHER, trigger=trigger)["run"]["release"] == release


def test_what_is_not_there_is_not_found_and_another_structure_needs_a_deploy() -> None:
    with pytest.raises(ReleaseNotFound):
        start("a" * 64)
    with pytest.raises(ReleaseNotFound):
        start("default")
    with pytest.raises(DeployNeeded):
        start(publish(structure="6" * 64), OTHER, trigger={"kind": "manual", "id": "2"})
