"""Each function in the template against its own code: the environment it reads, the handler it names, its calls."""

from __future__ import annotations

import ast
import dataclasses
import importlib
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from template_queries import Stack, read_stack

from modelwright.workflow.functions import FUNCTIONS, functions
from modelwright.workflow.structure import ENDPOINT_KINDS

if TYPE_CHECKING:
    from collections.abc import Iterator

LAMBDAS = Path(__file__).resolve().parents[2] / "lambdas"
NAMES = [function.name for function in FUNCTIONS]
ALWAYS = [function.name for function in FUNCTIONS if not function.only_with]
"""Those that the sample's stack has."""


@pytest.fixture(scope="module")
def stack(assembly: Path) -> Stack:
    return read_stack(assembly, "mw-dev-penguins")


@pytest.mark.parametrize("name", ALWAYS)
def test_the_environment_is_what_the_function_reads(stack: Stack, name: str) -> None:
    """What is about another kind of endpoint has a default and is left out."""
    module = importlib.import_module(f"{name}.handler")
    fields = dataclasses.fields(module.Env)
    needed = {field.name.upper() for field in fields if field.default is dataclasses.MISSING}
    given = set(stack.functions()[name]["Environment"]["Variables"])
    assert needed <= given <= {field.name.upper() for field in fields}


@pytest.mark.parametrize("name", ALWAYS)
def test_the_handler_is_there(stack: Stack, name: str) -> None:
    module, _, function = stack.functions()[name]["Handler"].rpartition(".")
    assert callable(getattr(importlib.import_module(module), function))


ACTIONS = {
    ("s3", "upload_fileobj"): {"s3:PutObject", "s3:AbortMultipartUpload"},
    ("s3", "list_objects_v2"): {"s3:ListBucket"},
    ("sagemaker-runtime", "invoke_endpoint"): {"sagemaker:InvokeEndpoint"},
    ("sagemaker-runtime", "invoke_endpoint_async"): {"sagemaker:InvokeEndpointAsync"},
    ("stepfunctions", "describe_execution"): {"states:DescribeExecution"},
    ("dynamodb", "transact_write_items"): {"dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:ConditionCheckItem"},
}
"""Methods of boto3 whose permission has another name than the method."""
BESIDE_CALLS = {
    # Application Auto Scaling asks these of whoever calls it.
    "cloudwatch:DescribeAlarms",
    "iam:CreateServiceLinkedRole",
    "sagemaker:DescribeEndpointConfig",
    "sagemaker:UpdateEndpointWeightsAndCapacities",
    "s3:ListBucket",  # without it, S3 answers 403 for a key that does not exist
    "kms:Decrypt",
    "kms:GenerateDataKey",
    "kms:CreateGrant",
    "kms:DescribeKey",
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "sagemaker:AddTags",  # asked of whoever makes something with tags
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
}
"""What AWS's services do with a function's role; no code of ours calls it."""


def service_of(node: ast.expr, known: dict[str, str]) -> str | None:
    """The service of `client("s3")`, or of a name that such a client was given."""
    if isinstance(node, ast.Name):
        return known.get(node.id)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "client":
        (argument,) = node.args
        assert isinstance(argument, ast.Constant)
        return str(argument.value)
    return None


def clients(tree: ast.AST) -> dict[str, str]:
    """The names that clients are given anywhere in a module, and their services."""
    assigned = (node for node in ast.walk(tree) if isinstance(node, ast.Assign))
    named = ((node.targets[0], service_of(node.value, {})) for node in assigned)
    return {target.id: service for target, service in named if isinstance(target, ast.Name) and service}


def calls(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Each method of a client that is named, called or not, and each helper that a client is handed to."""
    known = clients(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr not in {"get_paginator", "exceptions"}:
            service = service_of(node.value, known)
            if service:
                yield service, node.attr
        elif isinstance(node, ast.Call):
            yield from _handed_on(node, known)


def _handed_on(node: ast.Call, known: dict[str, str]) -> Iterator[tuple[str, str]]:
    if isinstance(node.func, ast.Attribute) and node.func.attr == "get_paginator":
        (argument,) = node.args
        assert isinstance(argument, ast.Constant)
        yield str(service_of(node.func.value, known)), str(argument.value)
    elif isinstance(node.func, ast.Name) and node.func.id != "client":
        services = [found for argument in node.args if (found := service_of(argument, known))]
        yield from ((service, node.func.id) for service in services)


def shared_helpers() -> dict[str, set[str]]:
    """The functions of `shared/` that are handed a client, and the methods that each calls on it."""
    found = {}
    for path in sorted((LAMBDAS / "shared").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.args.args:
                client = node.args.args[0].arg
                attributes = (part for part in ast.walk(node) if isinstance(part, ast.Attribute))
                found[node.name] = {
                    part.attr
                    for part in attributes
                    if isinstance(part.value, ast.Name) and part.value.id == client and part.attr != "exceptions"
                }
    return found


def actions_of(source: str) -> set[str]:
    """The IAM actions of all calls in one module's source."""
    found: set[str] = set()
    shared = shared_helpers()
    for service, called in calls(ast.parse(source)):
        for method in shared.get(called, {called}):
            name = "".join(word.capitalize() for word in method.split("_"))
            found |= ACTIONS.get((service, method), {f"{service}:{name}"})
    return found


def helpers(source: str) -> set[str]:
    """Functions of this module that a client is handed to: their calls are found where they are made."""
    return {node.name for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("name", NAMES)
def test_what_the_code_calls_is_granted_and_nothing_else(stack: Stack, name: str) -> None:
    source = (LAMBDAS / name / "handler.py").read_text("utf-8")
    if "from shared import scaling" in source:
        shared = (LAMBDAS / "shared" / "scaling.py").read_text("utf-8").replace("from __future__", "from os")
        if "scaling.read_targets" not in source:
            shared = shared[: shared.index("def read_targets")] + shared[shared.index("def set_target") :]
        source += shared
    own = {f":{''.join(word.capitalize() for word in helper.split('_'))}" for helper in helpers(source)}
    called = {action for action in actions_of(source) if not action.endswith(tuple(own))} - BESIDE_CALLS
    granted = {
        action
        for kind in ENDPOINT_KINDS
        for function in functions(kind, autoscaling=True, shadow=True, compiled=True)
        if function.name == name
        for grant in function.grants
        for action in grant.actions
    } - BESIDE_CALLS
    assert called == granted
    if name in ALWAYS:
        assert stack.function_role(name).actions() - BESIDE_CALLS <= granted


def test_a_call_in_any_form_is_seen() -> None:
    source = (
        'def f():\n    s = client("sagemaker")\n    s.get_paginator("list_models")\n    client("s3").get_object()\n'
    )
    assert actions_of(source) == {"sagemaker:ListModels", "s3:GetObject"}
    assert actions_of('content = read_object(client("s3"), x)') == {"s3:GetObject"}
    assert actions_of('s = client("sagemaker")\nretry(s.delete_model, name)') == {"sagemaker:DeleteModel"}


def test_metrics_go_into_the_namespace_that_is_granted(stack: Stack) -> None:
    module = importlib.import_module("record_metrics.handler")
    statement = stack.function_role("record_metrics").statement("cloudwatch:PutMetricData")
    assert statement["Condition"]["StringEquals"] == {"cloudwatch:namespace": module.NAMESPACE}
    _, dashboard = stack.one("AWS::CloudWatch::Dashboard")
    assert re.search(rf"\{{{module.NAMESPACE},Environment,Pipeline\}}", dashboard["DashboardBody"])
