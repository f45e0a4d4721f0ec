"""What the client writes is what the Lambdas read."""

from __future__ import annotations

import dataclasses
import uuid
from pathlib import Path
from typing import Any

import pytest

from check_quality_gate import domain as gate
from modelwright.client.releases.release import Destination, build_release
from modelwright.config import load_project
from modelwright.config.execution import ExecutionInput, Trigger
from modelwright.config.release import ReleaseManifest, commit_key, default_key
from prepare_run import domain, plan

ROOT = Path(__file__).parents[2]
COMMIT = "1" * 40


@pytest.fixture(scope="module")
def manifest() -> ReleaseManifest:
    """The penguins' release."""
    destination = Destination("eu-central-1", "artifacts")
    settings = load_project(ROOT).pipeline("penguins")
    return build_release(settings, destination, commit=COMMIT, clean=True).manifest


def request(**given: Any) -> domain.RunRequest:
    trigger = Trigger("merge", str(uuid.uuid4()), COMMIT)
    made = ExecutionInput(**{"pipeline": "penguins", "release": "a" * 64, "trigger": trigger, **given})
    return domain.parse_request(made.to_dict(), "penguins", "s3://data/incoming/penguins/")


def test_prepare_run_makes_a_plan_of_a_release(manifest: ReleaseManifest) -> None:
    content = manifest.to_json().encode()
    found = domain.verify_release(content, manifest.release_id, "penguins", manifest.structure, "s3://x")
    asked = request(release=manifest.release_id, overrides={"C": "0.5"}, data="s3://other/key.csv")
    made = plan.make_plan(found, asked, {"id": "0" * 12}, bucket="artifacts", key_arn="key")
    assert made["train"]["hyperparameters"].items() >= {"C": "0.5", "max-iter": "1000"}.items()
    assert made["process"]["entrypoint"][:2] == ["python3", "/opt/ml/processing/input/code/process.py"]
    assert made["process"]["entrypoint"][2:] == list(manifest.process.arguments)
    assert made["isolated"] is True
    assert made["run"]["commit"] == COMMIT
    assert made["run"]["data"]["uri"] == "s3://other/key.csv"


def test_a_release_without_an_endpoint_makes_a_plan(manifest: ReleaseManifest) -> None:
    none = dataclasses.replace(manifest.deploy, endpoint="none", instance=None, instance_count=None, smoke_test=None)
    found = dataclasses.replace(manifest, deploy=none).to_dict()
    made = plan.make_plan(found, request(), {"id": "0" * 12}, bucket="artifacts", key_arn="key")
    assert (made["deploy"]["variants"], made["deploy"]["volume_key"]) == ([], {})


def test_both_name_the_same_pointers() -> None:
    assert domain.pointer_key(request(release="commit"), "penguins") == commit_key("penguins", COMMIT)
    assert domain.pointer_key(request(release="default"), "penguins") == default_key("penguins")


def test_the_gate_is_judged_as_written(manifest: ReleaseManifest) -> None:
    clauses = manifest.to_dict()["gate"]
    assert gate.decide(clauses, {"accuracy": 0.8}, None)["passed"]
    assert not gate.decide(clauses, {"accuracy": 0.79}, None)["passed"]
    assert gate.decide(clauses, {"accuracy": 0.9}, {"accuracy": 0.91})["passed"]
    assert not gate.decide(clauses, {"accuracy": 0.9}, {"accuracy": 0.92})["passed"]
