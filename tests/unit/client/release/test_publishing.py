"""A release is sent to S3: all of it, once, the manifest last."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError
from released_project import FakeS3, of_folder, things

from modelwright.client.releases.release import (
    publish_release,
)

if TYPE_CHECKING:
    from pathlib import Path


def test_publishing_writes_all_and_the_manifest_last(root: Path) -> None:
    s3, release = FakeS3(), of_folder(root)
    assert publish_release(s3, release, default=True) == release.release_id
    puts = [call.removeprefix("put ") for call in s3.calls if call.startswith("put ")]
    assert [key.split("/")[0] for key in puts] == ["datasets", *["code"] * 8, "releases", "defaults"]
    assert puts[8].endswith("code.tar.gz")  # when it is there, all files are
    assert json.loads(s3.objects["artifacts", "defaults/things.json"]) == {"release": release.release_id}
    assert s3.objects["artifacts", f"releases/things/{release.release_id}.json"].decode() == release.manifest.to_json()
    uri = release.manifest.data.uri.removeprefix("s3://artifacts/")
    assert s3.objects["artifacts", uri] == (things(root) / "data" / "rents.csv").read_bytes()


def test_publishing_again_asks_once_and_sends_nothing(root: Path) -> None:
    s3 = FakeS3()
    publish_release(s3, of_folder(root))
    s3.calls.clear()
    release = of_folder(root)
    publish_release(s3, release)
    assert s3.calls == [f"list releases/things/{release.release_id}.json"]


def test_another_release_of_the_same_code_and_data_sends_its_manifest_only(root: Path) -> None:
    s3 = FakeS3()
    publish_release(s3, of_folder(root))
    s3.calls.clear()
    settings = things(root) / "pipeline.yaml"
    settings.write_text(settings.read_text().replace("alpha: 1.0", "alpha: 2.0"))
    publish_release(s3, of_folder(root))
    assert [call.split("/")[0] for call in s3.calls] == ["list releases", "list datasets", "list code", "put releases"]


def test_a_release_that_could_not_be_written_whole_has_no_manifest(root: Path) -> None:
    s3, release = FakeS3(), of_folder(root)
    s3.refuse = "train.py"
    with pytest.raises(ClientError):
        publish_release(s3, release)
    assert not [key for _, key in s3.objects if key.startswith("releases/") or key.endswith("code.tar.gz")]
    s3.refuse = ""
    publish_release(s3, release)
    assert ("artifacts", release.manifest.key) in s3.objects
