from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

KEYS = [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}]
TYPES = [{"AttributeName": "pk", "AttributeType": "S"}, {"AttributeName": "sk", "AttributeType": "S"}]


def key(name: str) -> dict:
    return {"pk": {"S": "P#" + name}, "sk": {"S": name}}


@pytest.fixture
def restart(make_cloud):
    def start():
        cloud = make_cloud()
        client = cloud.client("dynamodb")
        client.create_table(TableName="t", KeySchema=KEYS, AttributeDefinitions=TYPES, BillingMode="PAY_PER_REQUEST")
        return client

    return start


def items(client) -> dict:
    return {item["sk"]["S"]: item for item in client.scan(TableName="t")["Items"]}


def test_an_item_of_every_type_comes_back(restart) -> None:
    item = {
        **key("a"),
        "n": {"N": "1.10"},
        "b": {"B": b"\x00\xff"},
        "t": {"BOOL": True},
        "z": {"NULL": True},
        "l": {"L": [{"S": "x"}, {"M": {"k": {"N": "1"}}}]},
        "ss": {"SS": ["a", "b"]},
        "ns": {"NS": ["1", "2"]},
        "bs": {"BS": [b"1"]},
    }
    client = restart()
    client.put_item(TableName="t", Item=item)
    client = restart()
    assert client.get_item(TableName="t", Key=key("a"))["Item"] == item


def test_every_way_to_write_and_delete_is_kept(restart) -> None:
    client = restart()
    for name in "abcdefg":
        client.put_item(TableName="t", Item=key(name))
    client.update_item(
        TableName="t", Key=key("a"), UpdateExpression="SET v = :v", ExpressionAttributeValues={":v": {"N": "1"}}
    )
    client.update_item(
        TableName="t", Key=key("new"), UpdateExpression="ADD v :v", ExpressionAttributeValues={":v": {"N": "2"}}
    )
    client.delete_item(TableName="t", Key=key("b"))
    client.batch_write_item(
        RequestItems={"t": [{"PutRequest": {"Item": key("batch")}}, {"DeleteRequest": {"Key": key("c")}}]}
    )
    client.transact_write_items(
        TransactItems=[
            {"Put": {"TableName": "t", "Item": {**key("put"), "v": {"S": "x"}}}},
            {"Delete": {"TableName": "t", "Key": key("d")}},
            {
                "Update": {
                    "TableName": "arn:aws:dynamodb:eu-central-1:123456789012:table/t",
                    "Key": key("e"),
                    "UpdateExpression": "SET v = :v",
                    "ExpressionAttributeValues": {":v": {"S": "y"}},
                }
            },
            {"ConditionCheck": {"TableName": "t", "Key": key("f"), "ConditionExpression": "attribute_exists(pk)"}},
        ]
    )
    client.execute_statement(Statement="DELETE FROM \"t\" WHERE pk = 'P#g' AND sk = 'g'")
    client.execute_statement(Statement="INSERT INTO \"t\" VALUE {'pk': 'P#ql', 'sk': 'ql'}")
    before = items(client)
    assert sorted(before) == ["a", "batch", "e", "f", "new", "put", "ql"]
    assert items(restart()) == before


def test_what_a_condition_refused_is_not_kept(restart) -> None:
    client = restart()
    client.put_item(TableName="t", Item={**key("a"), "v": {"N": "1"}})
    with pytest.raises(ClientError, match="ConditionalCheckFailed"):
        client.put_item(TableName="t", Item=key("a"), ConditionExpression="attribute_not_exists(pk)")
    assert items(restart())["a"]["v"] == {"N": "1"}


def test_a_deleted_table_takes_its_items_with_it(restart) -> None:
    client = restart()
    client.put_item(TableName="t", Item=key("a"))
    client.delete_table(TableName="t")
    assert items(restart()) == {}


def test_a_table_with_a_hash_key_of_bytes_only_is_kept(make_cloud) -> None:
    def start():
        client = make_cloud().client("dynamodb")
        client.create_table(
            TableName="h",
            KeySchema=KEYS[:1],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "B"}],
            BillingMode="PAY_PER_REQUEST",
        )
        return client

    start().put_item(TableName="h", Item={"pk": {"B": b"\x00\x01"}, "v": {"S": "x"}})
    client = start()
    assert client.get_item(TableName="h", Key={"pk": {"B": b"\x00\x01"}})["Item"]["v"] == {"S": "x"}
    client.delete_item(TableName="h", Key={"pk": {"B": b"\x00\x01"}})
    assert start().scan(TableName="h")["Items"] == []


def test_writes_that_would_be_lost_are_refused(restart) -> None:
    with pytest.raises(ClientError, match="does not keep what dynamodb:CreateBackup changes"):
        restart().create_backup(TableName="t", BackupName="backup")
