"""DynamoDB: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html.

Transactions need the permission of each of their items:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html
A table under a customer's key is read and written with the caller's consent to decrypt the table key:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from modelwright.local.iam.checks import Check, Mapper, Request, action, anywhere
from modelwright.local.iam.patterns import UNKNOWN, Values

_EQUALS = re.compile(r"([#\w]+)\s*=\s*(:\w+)")
_FROM_PARAMS = {
    "ReturnConsumedCapacity": "dynamodb:returnconsumedcapacity",
    "ReturnValues": "dynamodb:returnvalues",
    "Select": "dynamodb:select",
}
_TRANSACTED = {"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "ConditionCheck": "ConditionCheckItem"}


def _table(request: Request, name: str) -> str:
    return request.named("dynamodb", "table/", name)


def _named_table(request: Request) -> str:
    return _table(request, request.text("TableName"))


def _value(attribute: object) -> str | None:
    """A key's value as IAM compares it: `{"S": "a"}` -> `a`."""
    if not isinstance(attribute, Mapping) or len(attribute) != 1:
        return None
    value = next(iter(attribute.values()))
    return value if isinstance(value, str) else None


def _leading(request: Request, table: str, items: Iterable[Mapping[str, Any]]) -> Values:
    """The partition keys of `items`; UNKNOWN when the table's schema was not reported or an item lacks its key."""
    name = request.facts.partition_keys.get(table, "")
    found = [_value(item.get(name)) for item in items]
    if not name or None in found:
        return UNKNOWN
    return tuple(dict.fromkeys(value for value in found if value is not None))


def _queried(request: Request, table: str) -> Values:
    """The partition key that a Query's condition asks for."""
    name = request.facts.partition_keys.get(table)
    names = request.params.get("ExpressionAttributeNames") or {}
    values = request.params.get("ExpressionAttributeValues") or {}
    for attribute, placeholder in _EQUALS.findall(request.text("KeyConditionExpression")):
        value = _value(values.get(placeholder))
        if names.get(attribute, attribute) == name and value is not None:
            return (value,)
    return UNKNOWN


def _checks(
    request: Request, name: str, table: str, leading: Values | None, extra: Mapping[str, Values] | None = None
) -> list[Check]:
    context: dict[str, Values] = {
        key: str(request.params[param]) for param, key in _FROM_PARAMS.items() if request.params.get(param)
    }
    if leading is not None:
        context["dynamodb:leadingkeys"] = leading
    index = request.text("IndexName")
    resource = f"{table}/index/{index}" if index else table
    found = [Check(f"dynamodb:{name}", resource, context | dict(extra or {}))]
    key = request.facts.keys.get(table)
    if key:
        encryption = {"aws:dynamodb:tableName": table.rpartition("/")[2], "aws:dynamodb:subscriberId": request.account}
        found.append(request.key_check("Decrypt", key, "dynamodb", encryption))
    return found


def _item(name: str, holder: str) -> Mapper:
    def mapper(request: Request) -> list[Check]:
        table = _named_table(request)
        return _checks(request, name, table, _leading(request, table, [request.params.get(holder) or {}]))

    return mapper


def _query(request: Request) -> list[Check]:
    table = _named_table(request)
    return _checks(request, "Query", table, _queried(request, table))


def _scan(request: Request) -> list[Check]:
    return _checks(request, "Scan", _named_table(request), None)


def _batch_get(request: Request) -> list[Check]:
    found: list[Check] = []
    for name, asked in (request.params.get("RequestItems") or {}).items():
        table = _table(request, name)
        found += _checks(request, "BatchGetItem", table, _leading(request, table, asked.get("Keys", [])))
    return found


def _batch_write(request: Request) -> list[Check]:
    found: list[Check] = []
    for name, writes in (request.params.get("RequestItems") or {}).items():
        table = _table(request, name)
        items = [
            write["PutRequest"]["Item"] if "PutRequest" in write else write["DeleteRequest"]["Key"] for write in writes
        ]
        found += _checks(request, "BatchWriteItem", table, _leading(request, table, items))
    return found


def _transaction(names: Mapping[str, str], enclosing: str) -> Mapper:
    extra: dict[str, Values] = {"dynamodb:enclosingoperation": enclosing}

    def mapper(request: Request) -> list[Check]:
        found: list[Check] = []
        for each in request.params.get("TransactItems") or []:
            for kind, asked in each.items():
                table = _table(request, asked.get("TableName", ""))
                leading = _leading(request, table, [asked.get("Item") or asked.get("Key") or {}])
                found += _checks(request, names[kind], table, leading, extra)
        return found

    return mapper


_TABLE_OPERATIONS = (
    "CreateTable",
    "DeleteTable",
    "DescribeContinuousBackups",
    "DescribeTable",
    "DescribeTimeToLive",
    "UpdateContinuousBackups",
    "UpdateTable",
    "UpdateTimeToLive",
)

OPERATIONS: dict[str, Mapper] = {
    **{name: action(f"dynamodb:{name}", _named_table) for name in _TABLE_OPERATIONS},
    **{
        name: action(f"dynamodb:{name}", lambda request: request.text("ResourceArn"))
        for name in ("ListTagsOfResource", "TagResource", "UntagResource")
    },
    **anywhere("dynamodb", ("DescribeEndpoints", "DescribeLimits", "ListTables")),
    "GetItem": _item("GetItem", "Key"),
    "PutItem": _item("PutItem", "Item"),
    "UpdateItem": _item("UpdateItem", "Key"),
    "DeleteItem": _item("DeleteItem", "Key"),
    "Query": _query,
    "Scan": _scan,
    "BatchGetItem": _batch_get,
    "BatchWriteItem": _batch_write,
    "TransactWriteItems": _transaction(_TRANSACTED, "TransactWriteItems"),
    "TransactGetItems": _transaction({"Get": "GetItem"}, "TransactGetItems"),
}
