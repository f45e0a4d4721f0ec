"""One local cloud at a time in a process, and the next knows nothing of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from modelwright.local.cloud import Cloud

if TYPE_CHECKING:
    from pathlib import Path


def test_the_next_cloud_of_this_process_knows_nothing_of_this_one(tmp_path: Path) -> None:
    clouds = [Cloud(tmp_path / name, "eu-central-1", services={}, warm=False) for name in ("one", "two")]
    for number, cloud in enumerate(clouds):
        cloud.start()
        try:
            s3 = cloud.client("s3")
            assert s3.list_buckets()["Buckets"] == []
            s3.create_bucket(Bucket="things", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
            assert s3.list_objects_v2(Bucket="things")["KeyCount"] == 0
            s3.put_object(Bucket="things", Key=str(number), Body=b"x")
        finally:
            cloud.stop()


def test_two_clouds_at_once_in_one_process_are_an_error(tmp_path: Path) -> None:
    first, second = (Cloud(tmp_path / name, "eu-central-1", services={}, warm=False) for name in ("one", "two"))
    first.start()
    try:
        with pytest.raises(RuntimeError, match="Another local cloud runs in this process"):
            second.start()
    finally:
        second.stop()
        assert first.client("s3").list_buckets()["Buckets"] == []
        first.stop()
