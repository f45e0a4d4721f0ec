"""A release's manifest: its form, and what changes its id."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING

import pytest
from released_project import DESTINATION, load, of_folder, things

from modelwright.client.releases.release import (
    build_release,
)
from modelwright.config.release import ReleaseManifest
from modelwright.errors import InvalidInput

if TYPE_CHECKING:
    from pathlib import Path


def test_the_manifest_has_the_form_of_the_architecture(root: Path) -> None:
    manifest = json.loads(of_folder(root).manifest.to_json())
    code, data = manifest["code"]["sha256"], manifest["data"]["sha256"]
    image = "492215442770.dkr.ecr.eu-central-1.amazonaws.com/sagemaker-scikit-learn:1.9-0-cpu-py3"
    job = {
        "image": image,
        "instance": "ml.m5.large",
        "instance_count": 1,
        "volume_gib": 10,
        "max_runtime_seconds": 3600,
    }
    assert manifest["schema"] == 1
    assert (manifest["pipeline"], manifest["commit"], manifest["clean"]) == ("things", None, False)
    assert manifest["code"] == {
        "uri": f"s3://artifacts/code/things/{code}/code.tar.gz",
        "files": f"s3://artifacts/code/things/{code}/files/",
        "sha256": code,
        "requirements": False,
    }
    assert manifest["data"] == {"uri": f"s3://artifacts/datasets/things/{data}/rents.csv", "sha256": data}
    assert manifest["process"] == {"script": "process.py", "arguments": ["--test-fraction", "0.25"], **job}
    assert manifest["train"] == {"script": "train.py", "hyperparameters": {"alpha": "1.0"}, **job}
    assert manifest["evaluate"] == {"script": "evaluate.py", "arguments": [], **job}
    assert manifest["gate"][2]["right"] == {"champion": "r2", "plus": -0.02}
    smoke_test = manifest["deploy"].pop("smoke_test")
    assert manifest["deploy"] == {
        "image": image,
        "instance": "ml.t2.medium",
        "instance_count": 1,
        "keep": 3,
        "content_types": ["text/csv", "application/json"],
        "endpoint": "realtime",
        "framework": "sklearn",
        "framework_version": "1.9-0",
        "serve": "auto",
        "variants": [{"name": "AllTraffic", "weight": 1.0, "instance": "ml.t2.medium", "instance_count": 1}],
        "update": {"traffic": "all-at-once", "percent": None, "wait_seconds": 300},
        **dict.fromkeys(("network_isolation", "autoscaling", "capture", "shadow", "serverless", "async", "api")),
    }
    assert (smoke_test["content_type"], smoke_test["accept"]) == ("text/csv", "application/json")
    assert manifest["structure"] == load(root).pipeline("things").structure().digest()


def test_a_manifest_survives_json_and_its_id_is_its_content(root: Path) -> None:
    manifest = of_folder(root).manifest
    assert ReleaseManifest.from_json(manifest.to_json()) == manifest
    assert ReleaseManifest.from_json(manifest.to_json()).release_id == manifest.release_id
    assert dataclasses.replace(manifest, commit="0" * 40).release_id != manifest.release_id


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema": 2}', '{"schema": 1}', "null"])
def test_what_is_no_manifest_is_an_error(text: str) -> None:
    with pytest.raises(InvalidInput):
        ReleaseManifest.from_json(text)


def test_the_bundle_has_the_code_and_neither_settings_nor_data(root: Path) -> None:
    names = [upload.key.split("/", 3)[3] for upload in of_folder(root).code]
    assert names == [
        "files/README.md",
        "files/data/README.md",
        "files/data/smoke.csv",
        "files/evaluate.py",
        "files/inference.py",
        "files/process.py",
        "files/train.py",
        "code.tar.gz",
    ]


def test_a_changed_hyperparameter_changes_the_release_and_not_the_code(root: Path) -> None:
    before = of_folder(root).manifest
    settings = things(root) / "pipeline.yaml"
    settings.write_text(settings.read_text().replace("alpha: 1.0", "alpha: 2.0"))
    after = of_folder(root).manifest
    assert after.release_id != before.release_id
    assert (after.code, after.structure) == (before.code, before.structure)


def test_data_in_s3_are_named_and_not_read(root: Path) -> None:
    settings = things(root) / "pipeline.yaml"
    settings.write_text(settings.read_text().replace("data/rents.csv", "s3://elsewhere/rents/"))
    release = of_folder(root)
    assert release.dataset is None
    assert (release.manifest.data.uri, release.manifest.data.sha256) == ("s3://elsewhere/rents/", None)


def test_a_model_that_is_only_registered_has_an_image_and_no_machine(root: Path) -> None:
    settings = things(root) / "pipeline.yaml"
    text = settings.read_text()
    deploy = next(line for line in text.splitlines() if line.startswith("deploy:"))
    settings.write_text(text.replace(deploy, "deploy: {endpoint: none}"))
    found = of_folder(root).manifest.deploy
    assert (found.instance, found.instance_count, found.smoke_test) == (None, None, None)
    assert "sagemaker-scikit-learn" in found.image


def test_building_is_a_function_of_its_arguments(root: Path) -> None:
    settings = load(root).pipeline("things")
    one, two = (build_release(settings, DESTINATION, commit="1" * 40, clean=True) for _ in range(2))
    assert one == two
