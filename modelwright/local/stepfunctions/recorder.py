"""Writes histories as they happen: in order, off the interpreter's threads, as many at once as have come up."""

from __future__ import annotations

import logging
import threading
from collections import defaultdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelwright.local.store.database import Database

log = logging.getLogger(__name__)
LogTarget = tuple[str, str]
"""log group, log stream"""


class Recorder:
    """One thread that writes what the executions hand it: events into the database, lines into CloudWatch Logs."""

    def __init__(self, database: Database, write_log: Callable[[str, str, list[tuple[float, str]]], None]) -> None:
        self._database = database
        self._write_log = write_log
        self._waiting: list[tuple[str, dict[str, Any], tuple[LogTarget, tuple[float, str]] | None]] = []
        self._written = 0
        self._handed = 0
        self._closed = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="states-recorder", daemon=True)
        self._thread.start()

    def put(self, stream: str, event: dict[str, Any], line: tuple[LogTarget, tuple[float, str]] | None) -> None:
        """Hand over one event of a history, and its line in the log if it has one."""
        with self._changed:
            self._waiting.append((stream, event, line))
            self._handed += 1
            self._changed.notify_all()

    def flush(self) -> None:
        """Return when everything that was handed over before is written."""
        with self._changed:
            wanted = self._handed
            self._changed.wait_for(lambda: self._written >= wanted or not self._thread.is_alive())

    def close(self) -> None:
        """Write what is left and end the thread."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._closed)
                batch, self._waiting = self._waiting, []
                if not batch:
                    return
            try:
                self._write(batch)
            except Exception:  # the thread serves every execution: it must outlive one that cannot be written
                log.exception("%d events of execution histories could not be written", len(batch))
            with self._changed:
                self._written += len(batch)
                self._changed.notify_all()

    def _write(self, batch: list[tuple[str, dict[str, Any], tuple[LogTarget, tuple[float, str]] | None]]) -> None:
        streams: dict[str, list[dict[str, Any]]] = defaultdict(list)
        lines: dict[LogTarget, list[tuple[float, str]]] = defaultdict(list)
        for stream, event, line in batch:
            streams[stream].append(event)
            if line is not None:
                lines[line[0]].append(line[1])
        with self._database.transaction():
            for stream, events in streams.items():
                self._database.append(stream, events)
        for (group, stream), texts in lines.items():
            self._log(group, stream, texts)

    def _log(self, group: str, stream: str, texts: list[tuple[float, str]]) -> None:
        try:
            self._write_log(group, stream, texts)
        except Exception as error:  # noqa: BLE001  # as on AWS, logs that cannot be delivered do not stop an execution
            log.warning("The history could not be logged to %s: %s", group, error)
