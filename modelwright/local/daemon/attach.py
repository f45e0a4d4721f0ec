"""The command line's way to the local cloud: start it or join it, ask for its status, shut it down."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modelwright.errors import LocalCloudBusy, LocalCloudFailed
from modelwright.local.daemon.control import DIRECTORY, LOG_FILE, Channel, connect, error_from_json
from modelwright.local.daemon.lease import LocalCloud
from modelwright.local.daemon.starting import start

if TYPE_CHECKING:
    from pathlib import Path

_PATIENCE_SECONDS = 60.0
_PAUSE_SECONDS = 0.01


@dataclass(frozen=True)
class Status:
    """What a running local cloud says of itself."""

    endpoint_url: str
    region: str
    pid: int
    kept: bool
    """True: `up` keeps it running when nobody uses it"""
    clients: tuple[str, ...]
    """the commands that use it"""


def attach(root: Path, environment: str | None = None) -> LocalCloud:
    """Start the local cloud of this project, or join the one that runs; returns at once (see LocalCloud).

    Args:
        root: the project's folder.
        environment: whose region the local cloud is (`environments/<name>.yaml`); by default `MODELWRIGHT_ENV`, or else
            `dev`.
    """
    name = environment or os.environ.get("MODELWRIGHT_ENV", "dev")
    return LocalCloud(lambda: _start_or_join(root, name))


def _start_or_join(root: Path, environment: str) -> tuple[Channel, dict[str, Any]]:
    directory = root / DIRECTORY
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        joined = _join(directory, environment)
        if joined is not None:
            return joined
        if not start(root, environment):
            time.sleep(_PAUSE_SECONDS)  # another one has the folder: about to listen, or to end
    raise LocalCloudFailed(
        f"The local cloud did not answer within {_PATIENCE_SECONDS:.0f} s.", f"{directory / LOG_FILE} says why."
    )


def status(root: Path) -> Status | None:
    """What the running local cloud says of itself; None when none runs. Starts nothing."""
    answer = _ask_once(root / DIRECTORY, {"do": "status"})
    if answer is None:
        return None
    return Status(answer["endpoint_url"], answer["region"], answer["pid"], answer["kept"], tuple(answer["clients"]))


def shut_down(root: Path, *, force: bool = False) -> bool:
    """Stop the local cloud and return when it has stopped; False when none runs.

    Raises:
        LocalCloudBusy: other commands use it, and `force` is not set.
    """
    directory = root / DIRECTORY
    answer = _ask_once(directory, {"do": "stop", "force": force}, wait_for_end=True)
    if answer is None:
        return False
    if "busy" in answer:
        users = "; ".join(answer["busy"])
        raise LocalCloudBusy(
            f"The local cloud is in use: {users}.",
            "Wait until that has ended, or stop it too: `modelwright down --force`.",
        )
    return True


def _join(directory: Path, environment: str) -> tuple[Channel, dict[str, Any]] | None:
    """Join the daemon that listens; None when there is none, or it is about to end."""
    connected = connect(directory)
    if connected is None:
        return None
    channel, token = connected
    me = {"pid": os.getpid(), "command": _command(), "environment": environment}
    welcome = channel.ask({"do": "join", "token": token, **me})
    if welcome is None or welcome.get("stopping"):
        channel.receive()  # comes back when that process has ended
        channel.close()
        return None
    if "error" in welcome:
        if welcome.get("ending"):
            channel.receive()  # as above: whoever comes next finds no daemon that has failed
        channel.close()
        raise error_from_json(welcome)
    return channel, welcome


def _ask_once(directory: Path, request: dict[str, Any], *, wait_for_end: bool = False) -> dict[str, Any] | None:
    connected = connect(directory)
    if connected is None:
        return None
    channel, token = connected
    try:
        answer = channel.ask({**request, "token": token})
        if wait_for_end and answer is not None and answer.get("stopping"):
            channel.receive()
    finally:
        channel.close()
    if answer is not None and "error" in answer:
        raise error_from_json(answer)
    return answer


def _command() -> str:
    """This command, as its user would know it."""
    return " ".join([os.path.basename(sys.argv[0]), *sys.argv[1:]])[:200]  # noqa: PTH119  # argv[0] may be empty
