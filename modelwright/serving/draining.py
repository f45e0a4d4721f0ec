"""uvicorn's server, with SageMaker's wishes: it tells when it listens, and SIGTERM is a good end."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

import uvicorn

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator


class DrainingServer(uvicorn.Server):
    """After SIGTERM it takes no new connection, finishes what it has and returns; uvicorn's own dies by the signal."""

    def __init__(self, config: uvicorn.Config, on_listening: Callable[[], None]) -> None:
        """Call `on_listening` once the first connection can be made."""
        super().__init__(config)
        self._on_listening = on_listening

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen."""
        await super().startup(sockets)
        self._on_listening()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take SIGTERM and SIGINT as the wish to end."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self.handle_exit)
        yield
