"""What the local cloud refuses to change is what CloudFormation's own schemas say of it."""

from __future__ import annotations

import pytest
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

from modelwright.local.template.create_only import CREATE_ONLY


@pytest.mark.parametrize("type_", sorted(CREATE_ONLY))
def test_the_list_is_the_schemas(type_: str) -> None:
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", type_).schema
    name, others = CREATE_ONLY[type_]
    assert {path.split("/")[2] for path in schema["createOnlyProperties"]} == {name, *others}
