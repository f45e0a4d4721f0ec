"""Copies of requests go to a shadow variant beside the answers; nobody waits for them, and nobody gets its answers.

https://docs.aws.amazon.com/sagemaker/latest/dg/model-shadow-deployment.html
"""

from __future__ import annotations

import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from modelwright.local.sagemaker.hosting.invocation import ask
from modelwright.local.sagemaker.hosting.metrics import Answered
from modelwright.local.sagemaker.hosting.server import ServerFailed

if TYPE_CHECKING:
    from modelwright.local.sagemaker.hosting.capture import Capture
    from modelwright.local.sagemaker.hosting.fleet import Fleet, Member
    from modelwright.local.sagemaker.hosting.invocation import Asked
    from modelwright.local.sagemaker.hosting.metrics import EndpointMetrics

WORKERS = 4
MOST_WAITING = 256
"""copies that wait for a slow shadow; no more are made until it has caught up"""
LAST_SECONDS = 2.0
_log = logging.getLogger(__name__)


class Shadows:
    """Sends the copies."""

    def __init__(self, metrics: EndpointMetrics, capture: Capture) -> None:
        """No thread runs before the first copy."""
        self._metrics = metrics
        self._capture = capture
        self._pool = ThreadPoolExecutor(WORKERS, "endpoint-shadow")
        self._room = threading.Semaphore(MOST_WAITING)
        self._idle = threading.Condition()
        self._under_way = 0

    def copy(self, fleet: Fleet, asked: Asked) -> None:
        """Send a copy to the fleet's shadow if it has one and the draw says so; returns at once."""
        member = fleet.take_shadow()
        if member is None:
            return
        if not self._room.acquire(blocking=False):
            fleet.give_back(member)
            _log.warning("a shadow variant is too slow for its share variant=%s", member.variant)
            return
        with self._idle:
            self._under_way += 1
        try:
            copy = self._pool.submit(self._send, fleet, member, asked)
        except RuntimeError:  # the local cloud ends
            self._ended(fleet, member)
            return
        copy.add_done_callback(lambda done: self._ended(fleet, member) if done.cancelled() else None)

    def flush(self) -> None:
        """Return when all copies that were made are answered."""
        with self._idle:
            self._idle.wait_for(lambda: self._under_way == 0)

    def stop(self) -> None:
        """Make no more copies; those that wait are dropped, those that are under way get a moment to be answered."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        with self._idle:
            self._idle.wait_for(lambda: self._under_way == 0, LAST_SECONDS)

    def _send(self, fleet: Fleet, member: Member, asked: Asked) -> None:
        began = time.perf_counter()
        try:
            outcome = ask(member, asked)
            overhead = time.perf_counter() - began - outcome.seconds
            self._metrics.answered(Answered(asked.endpoint, member, outcome.status, outcome.seconds, overhead))
            self._capture.offer(member, asked, outcome)
        except ServerFailed:
            self._metrics.unanswered(asked.endpoint, member.variant)
        except Exception:  # noqa: BLE001  # a copy that fails is nobody's request
            _log.exception("a copy of a request was not answered variant=%s", member.variant)
        finally:
            self._ended(fleet, member)

    def _ended(self, fleet: Fleet, member: Member) -> None:
        fleet.give_back(member)
        self._room.release()
        with self._idle:
            self._under_way -= 1
            self._idle.notify_all()
