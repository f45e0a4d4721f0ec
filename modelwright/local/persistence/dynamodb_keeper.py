"""DynamoDB items, kept: written down before each answer, put back when their table is made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelwright.local.store.encoding import dumps

if TYPE_CHECKING:
    from collections.abc import Iterator

    from moto.dynamodb.models import DynamoDBBackend
    from moto.dynamodb.models.table import Table

    from modelwright.local.cloud import Cloud
    from modelwright.local.service import Call

KIND = "dynamodb-item"
"""documents `<table>/<key attributes as JSON>` -> {"item": attributes in DynamoDB's own typed JSON}"""

_STATEMENTS = frozenset({"BatchExecuteStatement", "ExecuteStatement", "ExecuteTransaction"})


class DynamoKeeper:
    """Keeps the items of every table (`persistence.hooks.Keeper`).

    PartiQL statements name their items in text: after one, the tables' items are compared with what is kept.
    """

    writes = frozenset(
        {
            "BatchWriteItem",
            "CreateTable",
            "DeleteItem",
            "DeleteTable",
            "PutItem",
            "TransactWriteItems",
            "UpdateItem",
            *_STATEMENTS,
        }
    )
    configuration = frozenset(
        {
            "DeleteResourcePolicy",
            "PutResourcePolicy",
            "TagResource",
            "UntagResource",
            "UpdateContinuousBackups",
            "UpdateTable",
            "UpdateTimeToLive",
        }
    )

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def check(self, call: Call) -> None:
        """Nothing that moto takes is left undone."""

    def finished(self) -> None:
        """Nothing follows."""

    def after(self, call: Call) -> None:
        """Write down the items that the call named, as moto holds them now."""
        if call.operation == "CreateTable":
            self.restore(_name(call.params["TableName"]))
        elif call.operation == "DeleteTable":
            self._cloud.database.delete_all(KIND, f"{_name(call.params['TableName'])}/")
        elif call.operation in _STATEMENTS:
            self._keep_everything()
        else:
            with self._cloud.database.transaction():
                for table, item in _touched(call):
                    self._keep(self._table(table), item)

    def restore(self, name: str) -> None:
        """Put back the items that a table of this name held before the last stop."""
        from moto.dynamodb.models.dynamo_type import Item  # noqa: PLC0415  # with the first table, not with the start

        table = self._table(name)
        for _, body in self._cloud.database.all(KIND, f"{name}/"):
            hash_key, range_key = _keys(table, body["item"])
            item = Item(hash_key, range_key, body["item"])
            if range_key is None:
                table.items[hash_key] = item
            else:
                table.items[hash_key][range_key] = item

    def _keep(self, table: Table, attributes: dict[str, Any]) -> None:
        """Write down the item with the key that is among these attributes."""
        found = table.get_item(*_keys(table, attributes))
        name = _document(table, attributes)
        if found is None:
            self._cloud.database.delete(KIND, name)
        else:
            self._cloud.database.put(KIND, name, {"item": found.to_json()["Attributes"]})

    def _keep_everything(self) -> None:
        with self._cloud.database.transaction():
            for table in self._backend().tables.values():
                self._keep_table(table)

    def _keep_table(self, table: Table) -> None:
        prefix = f"{table.name}/"
        kept = {name: body["item"] for name, body in self._cloud.database.all(KIND, prefix)}
        found = {_document(table, item): item for item in (each.to_json()["Attributes"] for each in table.all_items())}
        for name in kept.keys() - found.keys():
            self._cloud.database.delete(KIND, name)
        for name, item in found.items():
            if kept.get(name) != item:
                self._cloud.database.put(KIND, name, {"item": item})

    def _table(self, name: str) -> Table:
        return self._backend().tables[name]

    def _backend(self) -> DynamoDBBackend:
        from moto.dynamodb.models import dynamodb_backends  # noqa: PLC0415

        return dynamodb_backends[self._cloud.account][self._cloud.region]


def _touched(call: Call) -> Iterator[tuple[str, dict[str, Any]]]:
    """Table and key attributes (among others) of each item that the call may have changed."""
    params = call.params
    if call.operation == "BatchWriteItem":
        for table, requests in params["RequestItems"].items():
            for request in requests:
                put = request.get("PutRequest")
                yield _name(table), put["Item"] if put else request["DeleteRequest"]["Key"]
    elif call.operation == "TransactWriteItems":
        for each in params["TransactItems"]:
            for action, body in each.items():
                if action != "ConditionCheck":
                    yield _name(body["TableName"]), body["Item"] if action == "Put" else body["Key"]
    else:
        yield _name(params["TableName"]), params["Item"] if call.operation == "PutItem" else params["Key"]


def _name(table: str) -> str:
    """A table's name, of its name or ARN."""
    return table.rpartition(":table/")[2]


def _keys(table: Table, attributes: dict[str, Any]) -> tuple[Any, Any]:
    from moto.dynamodb.models.dynamo_type import DynamoType  # noqa: PLC0415

    hash_key = DynamoType(attributes[table.hash_key_attr])
    return hash_key, DynamoType(attributes[table.range_key_attr]) if table.range_key_attr else None


def _document(table: Table, attributes: dict[str, Any]) -> str:
    names = [table.hash_key_attr, *([table.range_key_attr] if table.range_key_attr else [])]
    return f"{table.name}/{dumps([attributes[name] for name in names])}"
