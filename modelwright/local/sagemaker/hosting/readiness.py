"""How a model server says that it serves, or why not: one line into a pipe, then its `/ping`."""

from __future__ import annotations

import http.client
import json
import os
import select
import time
from typing import TYPE_CHECKING, Any

from modelwright.local.sagemaker.hosting.connections import NotConnected

if TYPE_CHECKING:
    from modelwright.local.processes.launcher import Process
    from modelwright.local.sagemaker.hosting.connections import Connections

PING_SECONDS = 2
"""https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html"""
_REAPED_SECONDS = 10
"""the pipe of a process that ends is closed before anybody hears how it ended"""


class ServerFailed(Exception):  # noqa: N818  # what became of it, not what AWS calls an error
    """The server does not serve; the message says why."""


def wait_until_ready(reading: int, process: Process, seconds: float, lines: list[str]) -> int:
    """Return the port that the server says; ServerFailed when it says why not, ends, or says nothing in time."""
    message = _read_line(reading, seconds)
    if message is None:
        raise ServerFailed(f"It did not serve after {seconds:g} s.")
    if not message:
        status = process.wait(_REAPED_SECONDS)
        last = next((line for line in reversed(lines) if line.strip()), "it wrote nothing")
        raise ServerFailed(f"Its process ended with status {status}: {last}")
    told: dict[str, Any] = json.loads(message)
    if not told["ready"]:
        raise ServerFailed(told["reason"])
    return int(told["port"])


def ping(connections: Connections, process: Process, seconds: float) -> None:
    """Ask `/ping` until it is answered with 200; ServerFailed when it is answered otherwise, or not in time.

    An answer has two seconds, and SageMaker asks again after one that came too late, until the time for the start is
    over: a machine that is busy for a moment is no reason to fail.
    """
    until = time.monotonic() + seconds
    while True:
        try:
            status = connections.exchange("GET", "/ping", {}, None, PING_SECONDS).status
        except (OSError, http.client.HTTPException) as error:
            if process.has_ended or isinstance(error, NotConnected) or time.monotonic() >= until:
                raise ServerFailed(f"It did not answer /ping within {PING_SECONDS} s ({error}).") from None
            continue
        if status != 200:
            raise ServerFailed(f"Its /ping answered {status}.")
        return


def _read_line(reading: int, seconds: float) -> bytes | None:
    """Return the one line that the pipe brings; empty when it was closed without, None when the time is over."""
    poll = select.poll()
    poll.register(reading, select.POLLIN)
    found = b""
    while not found.endswith(b"\n"):
        if not poll.poll(seconds * 1000):
            return None
        piece = os.read(reading, 65536)
        if not piece:
            return b""
        found += piece
    return found
