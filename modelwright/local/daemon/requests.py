"""What an attached command can ask of the local cloud beside AWS's API: `LocalCloud` in `lease.py` sends it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelwright.errors import ModelwrightError
from modelwright.local.daemon.deployed import deploy

if TYPE_CHECKING:
    from modelwright.local.cloud import Cloud
    from modelwright.local.daemon.control import Channel


class Requests:
    """Answers them, one method a request."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._services: dict[str, Any] = dict(cloud.services)
        self._rehearsed: dict[Channel, str] = {}

    def answer(self, channel: Channel, message: dict[str, Any]) -> dict[str, Any]:
        """Do what a message asks; ModelwrightError when there is no such request."""
        match message["do"]:
            case "deploy":
                return deploy(self._cloud, Path(message["assembly"]), message["revive"])
            case "inbox":
                return {"messages": self._services["sns"].messages(), "dead_letters": self._services["sqs"].messages()}
            case "rehearse":
                return self._rehearse(channel, message["endpoint"])
            case "fire":
                return {"event": self._fire(message["target"])}
            case "push":
                return {"event": self._push(message["repository"], message["branch"], message["commit"])}
            case "token":
                return {"token": self._services["sts"].token(message["subject"])}
            case other:
                raise ModelwrightError(f"The local cloud has no request {other!r}: it is of another version.")

    def gone(self, channel: Channel) -> None:
        """End what lasts as long as a connection."""
        endpoint = self._rehearsed.pop(channel, None)
        if endpoint is not None:
            self._services["sagemaker"].endpoints.rehearsals.end(endpoint)

    def _rehearse(self, channel: Channel, endpoint: str) -> dict[str, Any]:
        """Requests come to the endpoint until the connection ends: its updates bake meanwhile."""
        rehearsals = self._services["sagemaker"].endpoints.rehearsals
        self.gone(channel)
        rehearsals.begin(endpoint)
        self._rehearsed[channel] = endpoint
        return {"minute_seconds": rehearsals.minute_seconds}

    def _push(self, repository: str, branch: str, commit: str) -> str:
        return str(self._services["codecommit"].push(repository, branch, commit))

    def _fire(self, target: str) -> str:
        event = self._services["events"].fire(target)
        if event is None:
            raise ModelwrightError(
                "No schedule starts this pipeline.", "triggers.schedule in its pipeline.yaml sets one."
            )
        return str(event)
