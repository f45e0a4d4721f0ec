"""What the next step back to the state before the deployment is. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal

from shared.endpoint import BUSY

Action = Literal["none", "wait", "create", "update", "delete"]
WAITING = "waiting"

# Of ApprovalDescription, which takes no newline:
# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_UpdateModelPackage.html
MAX_DESCRIPTION = 1024


@dataclass(frozen=True)
class Step:
    """What to do, and what is said of the endpoint when it is done."""

    action: Action
    status: str


def next_step(status: str | None, config: str | None, previous: str) -> Step:
    """The step from an endpoint in `status` (None: absent) with `config` to one with `previous` ("": none).

    Deleting is all that a Failed endpoint allows, so it is made again with the previous configuration.
    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeEndpoint.html
    Statuses that only a person can end are reported, not touched.
    """
    if status in BUSY:
        return Step("wait", WAITING)
    if status is None:
        return Step("create", WAITING) if previous else Step("none", "deleted: nothing served before")
    if not previous or status == "Failed":
        return Step("delete", WAITING)
    if status == "InService":
        return Step("none", f"serves {previous} as before") if config == previous else Step("update", WAITING)
    return Step("none", f"not restored: it is {status}")


def rejection(failure: dict[str, str]) -> str:
    """Why the package is rejected, in one line: state, error, and the readable part of the cause.

    A function's cause is a JSON text with `errorMessage`, a job's one with `FailureReason`.
    """
    try:
        found: Any = json.loads(failure["cause"])
    except ValueError:
        found = None
    known = found if isinstance(found, dict) else {}
    reason = known.get("errorMessage") or known.get("FailureReason") or failure["cause"]
    text = f"not deployed: {failure['state']}: {failure['error']}: {reason}"
    return " ".join(text.split())[:MAX_DESCRIPTION]
