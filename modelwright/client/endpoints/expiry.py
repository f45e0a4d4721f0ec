"""When a pipeline's endpoint ends by itself: `deploy.ttl_hours` after its last deployment."""

from __future__ import annotations

from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING

from modelwright.client.runs import executions

if TYPE_CHECKING:
    from datetime import datetime

    from modelwright.client.deployment import Deployment
    from modelwright.client.session import Session

_LATEST = 25
"""So many runs that ended well are looked at; most of them deployed."""


def ends_at(session: Session, deployment: Deployment) -> datetime | None:
    """Return when the endpoint will be deleted; None without a time to live, or without a deployment so far.

    From what Step Functions keeps, so that nobody needs the table for it; the Lambda `expire_endpoint` looks every
    quarter of an hour.
    """
    if deployment.ttl_hours is None:
        return None
    for entry in islice(executions.executions(session, deployment, "SUCCEEDED"), _LATEST):
        run = executions.describe(session, deployment.pipeline, entry["executionArn"])
        if run.outcome == "Deployed" and run.stopped:
            return run.stopped + timedelta(hours=int(deployment.ttl_hours))
    return None
