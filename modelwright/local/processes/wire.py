"""Messages between the launcher and a zygote: one JSON object each, with file descriptors beside it."""

from __future__ import annotations

import json
import socket
import struct
from typing import Any

_HEADER = struct.Struct("!I")
_MOST_DESCRIPTORS = 16


class Closed(Exception):  # noqa: N818 - an end, not an error
    """The other side is gone."""


def send(channel: socket.socket, message: dict[str, Any], descriptors: tuple[int, ...] = ()) -> None:
    """Send one message whole; copies of `descriptors` arrive with it."""
    body = json.dumps(message, separators=(",", ":")).encode("utf-8", "surrogatepass")
    frame = _HEADER.pack(len(body)) + body
    sent = socket.send_fds(channel, [frame], list(descriptors)) if descriptors else channel.send(frame)
    if sent < len(frame):
        channel.sendall(frame[sent:])


def receive(channel: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """Wait for one message and the descriptors that came with it; Closed when there will be none."""
    head, descriptors, _, _ = socket.recv_fds(channel, _HEADER.size, _MOST_DESCRIPTORS)
    if not head:
        raise Closed
    head += _exactly(channel, _HEADER.size - len(head))
    body = _exactly(channel, _HEADER.unpack(head)[0])
    return json.loads(body.decode("utf-8", "surrogatepass")), descriptors


def _exactly(channel: socket.socket, count: int) -> bytes:
    found = bytearray()
    while len(found) < count:
        piece = channel.recv(count - len(found))
        if not piece:
            raise Closed
        found += piece
    return bytes(found)
