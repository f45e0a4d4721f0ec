"""A job whose end cannot be written down or told."""

from __future__ import annotations

import pytest

from modelwright.clock import SystemClock
from modelwright.local.sagemaker.jobs.record import JobRecord


class Database:
    def put(self, kind, key, body) -> None:
        raise OSError("no space left")


class Cloud:
    region, account, clock, database = "us-east-1", "123456789012", SystemClock(), Database()


def test_who_waits_for_a_job_is_woken_also_when_its_end_cannot_be_written():
    record = JobRecord.new(Cloud(), "TransformJob", {"TransformJobName": "job"})
    with pytest.raises(OSError, match="no space left"):
        record.end("Completed")
    assert record.ended.is_set()
