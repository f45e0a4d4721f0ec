"""STS, as far as a caller asks who it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from modelwright.local.cloud import Cloud
    from modelwright.local.service import Call


class Identity:
    """The service `sts`. Keys of a role are handed to what runs as that role; nobody assumes one by a call."""

    name = "sts"
    operations = frozenset({"GetCallerIdentity"})
    falls_through = False

    def __init__(self, cloud: Cloud) -> None:
        self._account = cloud.account

    def start(self) -> None:
        """Nothing is kept."""

    def stop(self) -> None:
        """Nothing runs here."""

    def handle(self, call: Call) -> dict[str, Any]:
        """Answer one request."""
        session = call.caller.arn.rpartition("/")[2]
        user = f"AROALOCAL:{session}" if call.caller.kind == "role" else self._account
        return {"UserId": user, "Account": self._account, "Arn": call.caller.arn}
