"""The table of functions against the handlers themselves."""

from __future__ import annotations

import ast
import dataclasses
import importlib
import re
import sys
from pathlib import Path

import botocore.session
import pytest

from modelwright.workflow.function import FUNCTION_RESOURCES, Function
from modelwright.workflow.functions import FUNCTIONS
from modelwright.workflow.trigger_functions import PUBLISH_MERGE, SHIPPED, TRIGGER_FUNCTIONS

LAMBDAS = Path(__file__).parents[2] / "lambdas"
FORBIDDEN = {"aws_cdk", "modelwright", "stacks", "training_code"}
OUTSIDE = {"handler.py", "folder.py"}
"""What a function does with AWS; `publish_merge/folder.py` is the one part that is too long for a handler."""
NOT_CALLS = {
    "dynamodb:ConditionCheckItem": "a part of TransactWriteItems",
    "kms:CreateGrant": "SageMaker's own call with the caller's right",
    "kms:Decrypt": "the service's own call with the caller's right",
    "kms:GenerateDataKey": "the service's own call with the caller's right",
    "s3:ListBucket": "answers 404 for a key that does not exist",
    "s3:AbortMultipartUpload": "a part of an upload in parts",
}


@pytest.mark.parametrize("function", [*FUNCTIONS, *TRIGGER_FUNCTIONS], ids=lambda item: item.name)
def test_the_environment_in_the_table_is_what_the_handler_reads(function: Function) -> None:
    module = importlib.import_module(function.handler.rpartition(".")[0])
    assert callable(module.handler)
    assert tuple(field.name.upper() for field in dataclasses.fields(module.Env)) == function.environment


def test_every_folder_with_a_handler_is_in_the_table() -> None:
    assert {path.parent.name for path in LAMBDAS.glob("*/handler.py")} == {
        item.name for item in (*FUNCTIONS, *TRIGGER_FUNCTIONS)
    }


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda item: item.name)
def test_grants_name_known_resources_and_real_calls(function: Function) -> None:
    session = botocore.session.get_session()
    for grant in function.grants:
        assert grant.reason
        names = {name for resource in grant.resources for name in re.findall(r"\$\{(\w+)\}", resource)}
        assert names <= FUNCTION_RESOURCES
        for action in grant.actions:
            service, _, call = action.partition(":")
            if action not in NOT_CALLS:
                client = {"states": "stepfunctions"}.get(service, service)
                client = "sagemaker-runtime" if call == "InvokeEndpoint" else client
                assert call in session.get_service_model(client).operation_names, action


def imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
    return found


@pytest.mark.parametrize("path", sorted(LAMBDAS.rglob("*.py")), ids=lambda path: str(path.relative_to(LAMBDAS)))
def test_a_lambda_imports_its_own_domain_shared_and_boto3_only(path: Path) -> None:
    """No bundling and no Docker: what is in the asset and in AWS's runtime is all that there is."""
    own = {path.parent.name, "shared"}
    shipped = path.parent.name == PUBLISH_MERGE.name  # docs/adr/0009-merges-from-codecommit.md
    for name in imports(path):
        top = name.partition(".")[0]
        if shipped and top == "modelwright":
            assert _is_shipped(name), f"{name} is not in the asset of {PUBLISH_MERGE.name}"
            continue
        assert top not in FORBIDDEN
        assert top in own | {"boto3", "botocore"} or top in sys.stdlib_module_names, f"{path}: {name}"


def _is_shipped(module: str) -> bool:
    path = Path(*module.split(".")[1:]).with_suffix(".py")
    return any(path.match(pattern) for pattern in SHIPPED)


@pytest.mark.parametrize(
    "path",
    sorted(path for path in LAMBDAS.rglob("*.py") if path.name not in OUTSIDE and path.parent.name != "shared"),
    ids=lambda path: str(path.relative_to(LAMBDAS)),
)
def test_a_domain_touches_nothing_outside(path: Path) -> None:
    tops = {name.partition(".")[0] for name in imports(path)}
    assert not tops & {"boto3", "botocore", "os", "time", "random", "socket", "subprocess"}
    assert not {name for name in imports(path) if name.endswith(".handler") or name == "shared.clients"}
