"""What runs made, kept in one SQLite file: documents by kind and key, and append-only streams; JSON only.

WAL mode with `synchronous=NORMAL`: what was written survives the death of this process at any moment (kill -9), and
after a loss of power the file is sound but may lack its last transactions (https://www.sqlite.org/pragma.html#pragma_synchronous).
"""

from __future__ import annotations

import sqlite3
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from modelwright.errors import StateUnusable
from modelwright.local.store.encoding import dumps, loads

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

SCHEMA_VERSION = 1
FILE_NAME = "state.sqlite3"

_SCHEMA = """
CREATE TABLE IF NOT EXISTS documents (kind TEXT NOT NULL, key TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (kind, key)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS entries (id INTEGER PRIMARY KEY AUTOINCREMENT, stream TEXT NOT NULL, body TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS entries_by_stream ON entries (stream, id);
"""  # noqa: E501  # SQL reads best as one line a table


class Database:
    """Documents and streams; every method may be called from any thread, and is durable when it returns."""

    def __init__(self, path: Path) -> None:
        """Open or make the file; StateUnusable when it is damaged, of another version, or cannot be written."""
        self.path = path
        self._lock = threading.RLock()
        self._depth = 0
        with self._clear_errors():
            self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("PRAGMA synchronous=NORMAL")
            self._check_version()
            self._connection.executescript(_SCHEMA)
            self._connection.execute(f"PRAGMA user_version={SCHEMA_VERSION}")

    def put(self, kind: str, key: str, body: Mapping[str, Any]) -> None:
        """Write a document, in place of one that was there."""
        self._run("INSERT OR REPLACE INTO documents VALUES (?, ?, ?)", (kind, key, dumps(body)))

    def get(self, kind: str, key: str) -> dict[str, Any] | None:
        """Return a document, or None."""
        rows = self._run("SELECT body FROM documents WHERE kind = ? AND key = ?", (kind, key))
        return loads(rows[0][0]) if rows else None

    def delete(self, kind: str, key: str) -> None:
        """Delete a document; nothing happens when there is none."""
        self._run("DELETE FROM documents WHERE kind = ? AND key = ?", (kind, key))

    def delete_all(self, kind: str, prefix: str = "") -> None:
        """Delete the documents of a kind whose keys begin with `prefix`."""
        self._run("DELETE FROM documents WHERE kind = ? AND substr(key, 1, ?) = ?", (kind, len(prefix), prefix))

    def all(self, kind: str, prefix: str = "") -> list[tuple[str, dict[str, Any]]]:
        """Return the documents of a kind whose keys begin with `prefix`, by key."""
        rows = self._run(
            "SELECT key, body FROM documents WHERE kind = ? AND key >= ? AND substr(key, 1, ?) = ? ORDER BY key",
            (kind, prefix, len(prefix), prefix),
        )
        return [(key, loads(body)) for key, body in rows]

    def append(self, stream: str, bodies: Sequence[Mapping[str, Any]]) -> None:
        """Append entries to a stream, all of them or none."""
        rows = [(stream, dumps(body)) for body in bodies]
        with self._clear_errors(), self._lock, self.transaction():
            self._connection.executemany("INSERT INTO entries (stream, body) VALUES (?, ?)", rows)

    def read(self, stream: str, after: int = 0, limit: int | None = None) -> list[tuple[int, dict[str, Any]]]:
        """Return the entries with a number above `after`, in order; numbers grow, and may have gaps."""
        rows = self._run(
            "SELECT id, body FROM entries WHERE stream = ? AND id > ? ORDER BY id LIMIT ?",
            (stream, after, -1 if limit is None else limit),
        )
        return [(number, loads(body)) for number, body in rows]

    def streams(self, prefix: str = "") -> list[str]:
        """Return the names of the streams that have entries and begin with `prefix`, in order."""
        rows = self._run(
            "SELECT DISTINCT stream FROM entries WHERE stream >= ? AND substr(stream, 1, ?) = ? ORDER BY stream",
            (prefix, len(prefix), prefix),
        )
        return [name for (name,) in rows]

    def delete_stream(self, stream: str) -> None:
        """Delete a stream's entries."""
        self._run("DELETE FROM entries WHERE stream = ?", (stream,))

    def bodies(self, without_kind: str) -> Iterator[str]:
        """Every document's and entry's text as it is stored, but for one kind of documents."""
        for (body,) in self._run("SELECT body FROM documents WHERE kind <> ?", (without_kind,)):
            yield body
        for (body,) in self._run("SELECT body FROM entries", ()):
            yield body

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that is written inside is kept, or, when an exception leaves it, nothing. May be nested (one whole)."""
        with self._clear_errors(), self._lock:
            outermost = self._depth == 0
            if outermost:
                self._connection.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield
            except BaseException:
                self._depth -= 1
                if outermost and self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
            self._depth -= 1
            if outermost:
                self._commit()

    def close(self) -> None:
        """Write everything into the one file and close it; nothing may be called afterwards."""
        with self._lock:
            self._connection.close()

    def _commit(self) -> None:
        try:
            self._connection.execute("COMMIT")
        except sqlite3.Error:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    def _run(self, statement: str, values: Sequence[Any]) -> list[Any]:
        with self._clear_errors(), self._lock:
            return self._connection.execute(statement, values).fetchall()

    def _check_version(self) -> None:
        (found,) = self._connection.execute("PRAGMA user_version").fetchone()
        if found not in (0, SCHEMA_VERSION):
            raise StateUnusable(
                f"{self.path} was written by another version of modelwright (format {found}; this one reads "
                f"{SCHEMA_VERSION}).",
                "Use that version, or move the file away to begin anew.",
            )

    @contextmanager
    def _clear_errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            raise StateUnusable(f"{self.path} cannot be used: {error}.", _next_step(str(error))) from error


def _next_step(problem: str) -> str:
    if "full" in problem or "disk I/O" in problem:
        return "Free some space on that disk; nothing that was written before is lost."
    if "malformed" in problem or "not a database" in problem:
        return "Move the file away to begin anew; objects and logs beside it stay."
    return "Check that the folder exists and that you may write to it."
