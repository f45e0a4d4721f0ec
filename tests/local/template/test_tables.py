"""Tables: what keeps one from being deleted."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError


def test_a_protected_table_is_not_deleted_before_its_protection_is_off(world: Any) -> None:
    def table(*, protected: bool) -> dict[str, Any]:
        keys = {"AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}]}
        properties = {
            **keys,
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
            "BillingMode": "PAY_PER_REQUEST",
        }
        protection = {"TableName": "kept", "DeletionProtectionEnabled": protected}
        return {"s": {"T": {"Type": "AWS::DynamoDB::Table", "Properties": properties | protection}}}

    world.deploy(table(protected=True))
    with pytest.raises(ClientError, match="DeletionProtectionEnabled"):
        world.client("dynamodb").delete_table(TableName="kept")
    world.client("cloudformation").delete_stack(StackName="s")
    assert world.stack("s")["StackStatus"] == "DELETE_FAILED"
    world.deploy(table(protected=False))
    world.client("cloudformation").delete_stack(StackName="s")
    assert world.client("dynamodb").list_tables()["TableNames"] == []
