"""What a look at the endpoint says of a deployment. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from shared.endpoint import BUSY

Outcome = Literal["Serving", "RolledBack", "Failed", "Waiting"]


@dataclass(frozen=True)
class Look:
    """One description of the endpoint."""

    status: str
    config: str
    reason: str = "no reason was given"


def judge(look: Look, asked: str, *, certain: bool) -> Outcome:
    """What became of the deployment of `asked`.

    InService with another configuration is a rollback, which AWS does not report as a failure. Straight after the
    update an answer may still be the old one, so it counts only when it is `certain` to be newer than the update.
    """
    if look.status in BUSY:
        return "Waiting"
    if look.status != "InService":
        return "Failed"
    if look.config == asked:
        return "Serving"
    return "RolledBack" if certain else "Waiting"
