"""`PrepareRun`: data that are complete."""

from __future__ import annotations

from typing import Any

import pytest
from prepare_ground import execution, start

from shared.errors import InvalidInput

pytestmark = pytest.mark.usefixtures("executions")


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
