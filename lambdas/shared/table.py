"""The project's table: its keys, and its items as plain values."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

_SERIALIZE = TypeSerializer().serialize
_DESERIALIZE = TypeDeserializer().deserialize

Key = dict[str, dict[str, str]]


def _key(partition: str, sort: str) -> Key:
    return {"pk": {"S": partition}, "sk": {"S": sort}}


def run_key(pipeline: str, run: str) -> Key:
    """One run."""
    return _key(f"PIPELINE#{pipeline}", f"RUN#{run}")


def champion_key(pipeline: str) -> Key:
    """The package that serves."""
    return _key(f"PIPELINE#{pipeline}", "CHAMPION")


def merged_key(pipeline: str) -> Key:
    """The last merges' runs."""
    return _key(f"PIPELINE#{pipeline}", "MERGED")


def day_key(pipeline: str, day: str) -> Key:
    """The runs that started on a day (`2026-11-21`, UTC)."""
    return _key(f"PIPELINE#{pipeline}", f"DAY#{day}")


def records_key(pipeline: str) -> Key:
    """The new records that wait for a run."""
    return _key(f"RECORDS#{pipeline}", "WAITING")


def counted_key(pipeline: str, identity: str) -> Key:
    """One writing of an object, counted."""
    return _key(f"RECORDS#{pipeline}", f"OBJECT#{identity}")


def trigger_key(pipeline: str, kind: str, identifier: str) -> Key:
    """The execution that took an event."""
    return _key(f"TRIGGER#{pipeline}", f"{kind}#{identifier}")


def lease_key(endpoint: str) -> Key:
    """Who may change an endpoint."""
    return _key(f"ENDPOINT#{endpoint}", "LEASE")


def read_item(dynamodb: Any, table: str, key: Key) -> dict[str, Any] | None:
    """The item as plain values, as it is at this moment; None when there is none."""
    item = dynamodb.get_item(TableName=table, Key=key, ConsistentRead=True).get("Item")
    return from_item(item) if item else None


def to_item(values: dict[str, Any]) -> dict[str, Any]:
    """Plain values in the API's typed form. Floats go as JSON text (`metrics`): DynamoDB's range is not theirs."""
    return {name: _SERIALIZE(value) for name, value in values.items()}


def from_item(item: dict[str, Any]) -> dict[str, Any]:
    """The API's typed form as plain values; every number that we write is a whole one."""
    plain = {name: _DESERIALIZE(value) for name, value in item.items()}
    return {name: int(value) if isinstance(value, Decimal) else value for name, value in plain.items()}
