"""Who may deploy. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Any


def order(started_at: str, run: str) -> tuple[datetime, str]:
    """Runs in the order of their executions' start; of two in the same millisecond the greater run id is the newer.

    Both runs come to the same answer, whichever asks first.
    """
    return datetime.fromisoformat(started_at), run


def newer_champion(champion: dict[str, Any] | None, started_at: str, run: str) -> str | None:
    """The run id of the champion when it is newer than this run, or None."""
    if champion is None or champion["run"] == run:
        return None
    newer = order(champion["run_started_at"], champion["run"]) > order(started_at, run)
    return str(champion["run"]) if newer else None


# https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeExecution.html
# A state machine that was deleted takes its executions with it.
_ENDED = frozenset({"SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED", "ExecutionDoesNotExist"})


def has_ended(status: str) -> bool:
    """Whether an execution in `status` will never change the endpoint again."""
    return status in _ENDED
