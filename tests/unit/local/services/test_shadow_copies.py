"""Copies for a shadow variant: how many may wait, and what becomes of them at the end."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from modelwright.local.sagemaker.hosting import shadow as endpoint_shadow
from modelwright.local.sagemaker.hosting.connections import Reply
from modelwright.local.sagemaker.hosting.invocation import Asked
from modelwright.local.sagemaker.hosting.shadow import Shadows
from modelwright.local.sagemaker.hosting.variant import Member

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest


class SlowServer:
    """Answers when it is let."""

    def __init__(self) -> None:
        self.let = threading.Event()
        self.asked = threading.Semaphore(0)

    @contextmanager
    def serving(self, _target: str | None) -> Iterator[SlowServer]:
        yield self

    def exchange(self, *_: Any) -> Reply:
        self.asked.release()
        self.let.wait(20)
        return Reply(200, {}, b"1")


class FakeFleet:
    """Lends one member, and counts."""

    def __init__(self) -> None:
        self.server = SlowServer()
        self.lent = 0
        self.given_back = 0
        self.back = threading.Semaphore(0)
        self._lock = threading.Lock()

    def take_shadow(self) -> Member:
        self.lent += 1
        return Member("shadow", "shadow/i-1", self.server)  # type: ignore[arg-type]  # what is asked of it, it has

    def give_back(self, _member: Member) -> None:
        with self._lock:
            self.given_back += 1
        self.back.release()


class Recorder:
    """Metrics and capture in one."""

    def __init__(self) -> None:
        self.statuses: list[int] = []
        self.offered = 0

    def answered(self, one: Any) -> None:
        self.statuses.append(one.status)

    def offer(self, *_: Any) -> None:
        self.offered += 1


def copied(fleet: FakeFleet, count: int) -> tuple[Shadows, Recorder]:
    recorder = Recorder()
    shadows = Shadows(recorder, recorder)  # type: ignore[arg-type]  # as above
    for _ in range(count):
        shadows.copy(fleet, Asked("endpoint", b"1", {}, datetime.now(UTC)))  # type: ignore[arg-type]  # as above
    return shadows, recorder


def test_each_copy_is_answered_recorded_and_offered_to_the_capture() -> None:
    fleet = FakeFleet()
    fleet.server.let.set()
    shadows, recorder = copied(fleet, 7)
    shadows.flush()
    assert (recorder.statuses, recorder.offered) == ([200] * 7, 7)
    assert fleet.given_back == fleet.lent == 7


def test_of_a_slow_shadow_only_so_many_copies_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint_shadow, "MOST_WAITING", 5)
    fleet = FakeFleet()
    shadows, recorder = copied(fleet, 9)
    assert fleet.given_back == 4, "at once: no room for them"
    fleet.server.let.set()
    shadows.flush()
    assert (len(recorder.statuses), fleet.given_back) == (5, 9)


def test_at_the_end_those_that_wait_are_dropped_and_those_under_way_are_answered() -> None:
    fleet = FakeFleet()
    shadows, recorder = copied(fleet, 9)
    for _ in range(endpoint_shadow.WORKERS):
        assert fleet.server.asked.acquire(timeout=20)
    stopping = threading.Thread(target=shadows.stop)
    stopping.start()
    for _ in range(9 - endpoint_shadow.WORKERS):
        assert fleet.back.acquire(timeout=20), "those that wait are given back first"
    fleet.server.let.set()
    stopping.join(20)
    assert (len(recorder.statuses), recorder.offered) == (endpoint_shadow.WORKERS, endpoint_shadow.WORKERS)
    assert fleet.given_back == 9
