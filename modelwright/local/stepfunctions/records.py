"""Executions as they are kept: a small record to list by, its data beside it, and the history as a stream."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from modelwright.local.store.database import Database

_RECORD: Final = "states.execution"
_DATA: Final = "states.execution-data"
_DEFINITION: Final = "states.definition"
_DATA_FIELDS: Final = ("input", "output", "error", "cause")


def execution_digest(execution_arn: str) -> str:
    """Give the hash of an execution's ARN, of which run ids are the beginning."""
    return hashlib.sha256(execution_arn.encode()).hexdigest()


def history_stream(execution_arn: str) -> str:
    """Give the name of the stream that holds an execution's history."""
    return f"states.history/{execution_arn}"


class Records:
    """The executions in the database. Times are seconds since the epoch."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, record: dict[str, Any]) -> None:
        """Write an execution, whole or not at all."""
        arn = record["executionArn"]
        small = {name: value for name, value in record.items() if name not in _DATA_FIELDS}
        data: dict[str, Any] = {name: record[name] for name in _DATA_FIELDS if name in record}
        with self._database.transaction():
            self._database.put(_RECORD, arn, small)
            self._database.put(_DATA, arn, data)

    def get(self, execution_arn: str) -> dict[str, Any] | None:
        """Give an execution with its data, or None."""
        small = self._database.get(_RECORD, execution_arn)
        return None if small is None else {**small, **(self._database.get(_DATA, execution_arn) or {})}

    def all(self, prefix: str = "") -> list[dict[str, Any]]:
        """Give the executions whose ARN begins with `prefix`, the latest first, without their data."""
        found = [body for _, body in self._database.all(_RECORD, prefix)]
        return sorted(found, key=lambda record: (record["startDate"], record["executionArn"]), reverse=True)

    def keep_definition(self, definition: str) -> str:
        """Keep the definition with which executions run; give the key by which it is found again."""
        key = hashlib.sha256(definition.encode()).hexdigest()
        if self._database.get(_DEFINITION, key) is None:
            self._database.put(_DEFINITION, key, {"definition": definition})
        return key

    def definition(self, key: str) -> str:
        """Give a definition that was kept."""
        found = self._database.get(_DEFINITION, key)
        return str(found["definition"]) if found else ""

    def history(self, execution_arn: str) -> list[dict[str, Any]]:
        """Give the whole history, in order."""
        return [event for _, event in self._database.read(history_stream(execution_arn))]

    def append_history(self, execution_arn: str, events: list[dict[str, Any]]) -> None:
        """Add events to a history."""
        self._database.append(history_stream(execution_arn), events)
