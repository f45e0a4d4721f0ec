"""A socket that listens: what a new connection meets when the server is about to end."""

from __future__ import annotations

import contextlib
import ctypes
import socket
import struct
import sys

_SO_ATTACH_FILTER = 26
_LOAD_BYTE, _AND, _JUMP_IF_EQUAL, _RETURN = 0x30, 0x54, 0x15, 0x06
_FLAGS_AT, _SYN, _SYN_ACK = 13, 0x02, 0x12
_NO_NEW = (
    (_LOAD_BYTE, 0, 0, _FLAGS_AT),
    (_AND, 0, 0, _SYN_ACK),
    (_JUMP_IF_EQUAL, 0, 1, _SYN),
    (_RETURN, 0, 0, 0),
    (_RETURN, 0, 0, 0x7FFFFFFF),
)
"""drops what asks for a connection, lets everything else through"""


def take_no_more(listener: socket.socket) -> None:
    """Let no new connection be made, for all who listen on this socket; those that are made are still accepted.

    Closing it resets whoever has connected after the last accept, with the request that he has sent. So his first
    packet is dropped instead: he tries again, and is refused when nobody listens any more, or finds whoever does then.
    Linux; elsewhere, or where it is not allowed, the short time between the last accept and the close remains.
    https://docs.kernel.org/networking/filter.html
    """
    if sys.platform != "linux":
        return
    program = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in _NO_NEW))
    with contextlib.suppress(OSError):
        listener.setsockopt(
            socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("HP", len(_NO_NEW), ctypes.addressof(program))
        )
