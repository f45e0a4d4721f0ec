"""What one execution is handed: a clock, clients of its role, jobs to wait for, and where its history goes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from botocore.client import BaseClient

    from modelwright.clock import Clock

LONGEST_SLEEP_SECONDS = 1.0
"""a wait looks at the clock at least this often: a laptop that slept, or a clock that was moved, is noticed"""

LONG_CALL_SECONDS = 0.02
"""what takes longer than this is waited for: a job, a function; shorter calls are better not disturbed"""


class JobWaiter(Protocol):
    """Blocks until a SageMaker job has ended (`services["sagemaker"].wait`)."""

    def __call__(self, kind: str, name: str, timeout: float | None) -> dict[str, Any] | None:
        """Return the job's description, or None when it still runs after `timeout` seconds."""


@dataclass(frozen=True)
class Runtime:
    """The world of one execution."""

    clock: Clock
    region: str
    client: Callable[[str, str], BaseClient]
    """(botocore's service name, role ARN) -> a cached client that signs as a session of that role"""
    wait_for_job: JobWaiter
    publish: Callable[[dict[str, Any]], None]
    """takes each event of the history, in order"""
    idle: Callable[[], bool] = field(default=lambda: False)
    """does a little that will be needed later; False when there is nothing"""
    baked: Callable[[float], float] = field(default=lambda seconds: seconds)
    """how long a state that bakes a deployment waits here, of so many seconds"""
    longest_sleep_seconds: float = field(default=LONGEST_SLEEP_SECONDS)

    def use_time(self, over: threading.Event) -> None:
        """Do ahead what can be done, while something takes its time; returns soon after `over` is set."""
        if over.wait(LONG_CALL_SECONDS):
            return
        while not over.is_set() and self.idle():
            pass

    def sleep(self, seconds: float, over: threading.Event) -> bool:
        """Wait until `seconds` have passed on the clock or `over` is set; True when it was set."""
        deadline = self.clock.time() + seconds
        while (left := deadline - self.clock.time()) > 0:
            if over.wait(min(left, self.longest_sleep_seconds)):
                return True
        return over.is_set()
