"""The calls of the state machine's tasks against what its role is granted: nothing missing, nothing more."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from template_queries import Stack, read_stack

from modelwright.client.checks.requests import tasks

if TYPE_CHECKING:
    from pathlib import Path

RESOURCE = re.compile(r"arn:aws:states:::(?:aws-sdk:)?(?P<service>[a-z]+):(?P<call>[A-Za-z]+)(?P<sync>\.sync)?")

WITHOUT_A_TASK = {
    # .sync hears of a job's end by managed rules
    "events:DescribeRule",
    "events:PutRule",
    "events:PutTargets",
    # the table and the topic are encrypted; machines of an endpoint have encrypted volumes
    "kms:CreateGrant",
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:GenerateDataKey",
    # logs and traces of the state machine itself
    "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
    "logs:GetLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:UpdateLogDelivery",
    "xray:GetSamplingRules",
    "xray:GetSamplingTargets",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
}
"""What the role needs though no task calls it: https://docs.aws.amazon.com/step-functions/latest/dg/connect-sagemaker.html."""


@pytest.fixture(scope="module")
def stack(assembly: Path) -> Stack:
    return read_stack(assembly, "mw-dev-penguins")


def needed(state: dict[str, Any]) -> set[str]:
    """The actions that one task's call needs."""
    found = RESOURCE.fullmatch(state["Resource"])
    assert found, state["Resource"]
    service, call = found["service"], found["call"][0].upper() + found["call"][1:]
    if (service, call) == ("lambda", "Invoke"):
        return {"lambda:InvokeFunction"}
    arguments = state["Arguments"]
    text = str(arguments)
    actions = {f"{service}:{call}"}
    if "'Tags'" in text or '"Tags"' in text:
        actions.add("sagemaker:AddTags")
    if "RoleArn}" in text:
        actions.add("iam:PassRole")
    if (
        found["sync"] and service == "codebuild"
    ):  # https://docs.aws.amazon.com/step-functions/latest/dg/codebuild-iam.html
        actions |= {"codebuild:BatchGetBuilds", "codebuild:StopBuild"}
    elif found["sync"]:
        job = call.removeprefix("Create")
        actions |= {f"sagemaker:Describe{job}", f"sagemaker:Stop{job}", "sagemaker:ListTags"}
    return actions


def all_needed(definition: dict[str, Any]) -> set[str]:
    return {action for _, state in tasks(definition["States"]) for action in needed(dict(state))}


def test_every_call_of_a_task_is_granted(stack: Stack) -> None:
    assert all_needed(stack.definition()) - stack.machine_role().actions() == set()


def test_nothing_is_granted_that_no_task_needs(stack: Stack) -> None:
    assert stack.machine_role().actions() - all_needed(stack.definition()) - WITHOUT_A_TASK == set()


def test_what_needs_no_task_is_really_granted(stack: Stack) -> None:
    assert WITHOUT_A_TASK - stack.machine_role().actions() == set()


def test_a_call_that_is_not_granted_would_be_seen(stack: Stack) -> None:
    definition = stack.definition()
    definition["States"]["Extra"] = {
        "Type": "Task",
        "Resource": "arn:aws:states:::sagemaker:createTransformJob.sync",
        "Arguments": {},
    }
    missing = all_needed(definition) - stack.machine_role().actions()
    assert missing == {f"sagemaker:{verb}TransformJob" for verb in ("Create", "Describe", "Stop")}


def test_every_function_that_a_task_calls_is_there(stack: Stack) -> None:
    substitutions = stack.machine()["DefinitionSubstitutions"]
    called = {
        state["Arguments"]["FunctionName"].strip("${}")
        for _, state in tasks(stack.definition()["States"])
        if state["Resource"].endswith("lambda:invoke")
    }
    made = {f"<{logical_id}.Arn>" for logical_id in stack.all("AWS::Lambda::Function")}
    assert {substitutions[name] for name in called} == made - {"<CloseRunFunction.Arn>"}  # an event calls that
