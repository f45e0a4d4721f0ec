"""A client of moto's for several threads: DynamoDB does each call whole, moto within one process does not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import Lock


class OneAtATime:
    """Does what the client does, one call after the other."""

    def __init__(self, client: Any, lock: Lock) -> None:
        self._client = client
        self._lock = lock

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._client, name)

        def call(**request: Any) -> Any:
            with self._lock:
                return method(**request)

        return call
