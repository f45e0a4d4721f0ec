"""Who uses the local cloud: it ends with the last of them, unless it is kept."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from modelwright.local.daemon.control import Channel


class Users:
    """The commands that are attached, by their connection. Safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._commands: dict[Channel, str] = {}
        self._kept = False
        self._closing = False

    def join(self, channel: Channel, command: str) -> bool:
        """Count a command in; False when the end is decided: nobody joins any more."""
        with self._lock:
            if not self._closing:
                self._commands[channel] = command
            return not self._closing

    def leave(self, channel: Channel) -> bool:
        """Count a command out; True when the local cloud ends with it."""
        with self._lock:
            was_attached = self._commands.pop(channel, None) is not None
            last = was_attached and not self._commands and not self._kept
            self._closing = self._closing or last
            return last

    def keep(self) -> None:
        """Go on when nobody is attached."""
        with self._lock:
            self._kept = True

    def seen(self) -> tuple[list[str], bool]:
        """The attached commands, and whether the local cloud is kept."""
        with self._lock:
            return list(self._commands.values()), self._kept

    def close_if_unused(self) -> bool:
        """Decide to end when nobody is attached and it is not kept; True when the end is decided."""
        with self._lock:
            self._closing = self._closing or not (self._commands or self._kept)
            return self._closing

    def close(self, *, force: bool) -> list[str]:
        """Decide to end; the commands that are in the way of it unless it is forced."""
        with self._lock:
            if self._commands and not force:
                return list(self._commands.values())
            self._closing = True
            return []

    def close_from_signal(self) -> None:
        """Decide to end, without the lock: a signal's handler may have interrupted the thread that holds it."""
        self._closing = True
