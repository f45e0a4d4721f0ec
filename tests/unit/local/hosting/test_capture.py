"""Captured requests that one thread is about to write when another asks for all of them."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from types import SimpleNamespace

from modelwright.clock import SystemClock
from modelwright.local.sagemaker.hosting.capture import FLUSH_BYTES, Capture
from modelwright.local.sagemaker.hosting.connections import Reply
from modelwright.local.sagemaker.hosting.fleet import Member
from modelwright.local.sagemaker.hosting.invocation import Asked, Outcome

CONFIG = {
    "InitialSamplingPercentage": 100,
    "DestinationS3Uri": "s3://bucket/captured",
    "CaptureOptions": [{"CaptureMode": "Input"}],
}


class Slow(Capture):
    """Its own thread waits before it writes what it has taken."""

    def __init__(self, cloud) -> None:
        super().__init__(cloud)
        self.taken, self.go_on, self.written = threading.Event(), threading.Event(), []

    def _write(self, files) -> None:
        if threading.current_thread() is self._thread:
            self.taken.set()
            assert self.go_on.wait(30)
        super()._write(files)

    def _write_one(self, place, file) -> None:
        self.written += file.events


def test_flush_waits_for_what_is_about_to_be_written(tmp_path):
    capture = Slow(SimpleNamespace(directory=tmp_path, clock=SystemClock()))
    capture.start()
    member = Member("v", "s", None, "c", {"Capture": CONFIG, "RoleArn": "r"})
    asked = Asked("e", b"1" * FLUSH_BYTES, {"ContentType": "text/csv"}, datetime.now(UTC))
    capture.offer(member, asked, Outcome(Reply(200, {}, b""), 0.0))
    assert capture.taken.wait(30)
    flushing = threading.Thread(target=capture.flush)
    flushing.start()
    flushing.join(0.1)  # it would have come back by now, or a bit later: then the next line fails
    assert (flushing.is_alive(), capture.written) == (True, [])
    capture.go_on.set()
    flushing.join(30)
    assert (flushing.is_alive(), len(capture.written)) == (False, 1)
    capture.stop()
