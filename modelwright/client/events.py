"""Events on modelwright's own bus."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from modelwright.errors import ModelwrightError

if TYPE_CHECKING:
    from .deployment import Deployment
    from .session import Session

SOURCE, MERGE = "modelwright", "Merge"


class EventRefusedError(ModelwrightError):
    """The bus did not take the event."""


def send_merge(session: Session, deployment: Deployment, *, branch: str, commit: str, release: str) -> str:
    """Tell the bus that this commit was merged and is released; the event's id.

    Raises:
        EventRefusedError: PutEvents answers 200 also when it took nothing: the entry's own error says so.
    """
    detail = {"pipeline": deployment.pipeline, "branch": branch, "commit": commit, "release": release}
    entry = {"EventBusName": deployment.event_bus, "Source": SOURCE, "DetailType": MERGE, "Detail": json.dumps(detail)}
    (result,) = session.client("events").put_events(Entries=[entry])["Entries"]
    if "EventId" not in result:
        raise EventRefusedError(
            f"the bus {deployment.event_bus} refused the event: {result.get('ErrorCode')}: {result.get('ErrorMessage')}"
        )
    return str(result["EventId"])
