"""Events on modelwright's own bus, and the executions that they start."""

from __future__ import annotations

import json
import time
from itertools import islice
from typing import TYPE_CHECKING

from modelwright.client.runs.executions import describe, executions
from modelwright.errors import EventRefused

if TYPE_CHECKING:
    from collections.abc import Callable

    Pause = Callable[[float], None]

    from modelwright.client.deployment import Deployment
    from modelwright.client.session import Session

SOURCE, MERGE = "modelwright", "Merge"
PATIENCE_SECONDS = 60.0
_NEWEST = 100


def send_merge(session: Session, deployment: Deployment, *, branch: str, commit: str, release: str) -> str:
    """Tell the bus that this commit was merged and is released; the event's id.

    Raises:
        EventRefused: PutEvents answers 200 also when it took nothing: the entry's own error says so.
    """
    detail = {"pipeline": deployment.pipeline, "branch": branch, "commit": commit, "release": release}
    entry = {"EventBusName": deployment.event_bus, "Source": SOURCE, "DetailType": MERGE, "Detail": json.dumps(detail)}
    (result,) = session.client("events").put_events(Entries=[entry])["Entries"]
    if not result.get("EventId"):
        raise EventRefused(
            f"The bus {deployment.event_bus} refused the event: {result.get('ErrorCode')}: {result.get('ErrorMessage')}"
        )
    return str(result["EventId"])


def published_by(
    session: Session, deployment: Deployment, push: str, refusal: Callable[[], str | None], pause: Pause = time.sleep
) -> str:
    """Wait for the execution of a merge that a Lambda announces after a push, and return its ARN.

    The announcement's id is nobody's to know; the execution's input names the push. `refusal` says why there will be
    none, as soon as that is known.

    Raises:
        EventRefused: the commit cannot be released, or no execution appeared within a minute.
    """
    seen: set[str] = set()
    for _ in range(round(PATIENCE_SECONDS / session.poll_seconds)):
        for entry in islice(executions(session, deployment), _NEWEST):
            arn = str(entry["executionArn"])
            if arn not in seen and describe(session, deployment.pipeline, arn).trigger_id == push:
                return arn
            seen.add(arn)
        problem = refusal()
        if problem:
            raise EventRefused(problem)
        pause(session.poll_seconds)
    raise EventRefused(
        f"The push {push} started no execution within {PATIENCE_SECONDS:.0f} s.",
        "`modelwright inbox` shows dead letters.",
    )


def started_by(session: Session, deployment: Deployment, event: str, pause: Pause = time.sleep) -> str:
    """Wait for the execution that an event starts, and return its ARN.

    EventBridge names it `<the event's id>_<another id>`.

    Raises:
        EventRefused: none appeared within a minute.
    """
    for _ in range(round(PATIENCE_SECONDS / session.poll_seconds)):
        for entry in islice(executions(session, deployment), _NEWEST):
            if entry["name"].startswith(event):
                return str(entry["executionArn"])
        pause(session.poll_seconds)
    raise EventRefused(
        f"The event {event} started no execution within {PATIENCE_SECONDS:.0f} s.",
        "`modelwright inbox` shows dead letters."
        if session.is_local
        else f"Is the rule on {deployment.event_bus} off, or is the event in the dead-letter queue?",
    )
