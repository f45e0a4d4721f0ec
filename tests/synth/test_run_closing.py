"""What closes a run that was ended from outside: the events that match, who calls the function, what it may do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk import App, Environment
from template_queries import Stack, read_stack

from modelwright.config.environment import EnvironmentSettings
from modelwright.config.structure import PipelineStructure
from modelwright.local.events.patterns import check_pattern, matches
from stacks.pipeline_stack import PipelineStack

if TYPE_CHECKING:
    from pathlib import Path

SAGEMAKER = "arn:<AWS::Partition>:sagemaker:<AWS::Region>:<AWS::AccountId>:"
TABLE = "arn:<AWS::Partition>:dynamodb:<AWS::Region>:<AWS::AccountId>:table/<SharedTableName>"
TOPIC, QUEUE = "<SharedTopicArn>", "<SharedDeadLetterQueueArn>"
ENDPOINTS = {"whales": "realtime", "cats": "none"}


@pytest.fixture(scope="module")
def stacks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Stack]:
    folder: Path = tmp_path_factory.mktemp("closing")
    settings = EnvironmentSettings("dev", "eu-central-1")
    app = App(analytics_reporting=False, outdir=str(folder), builtin_cloud_formation_validation=False)
    for name, endpoint in ENDPOINTS.items():
        PipelineStack(
            app, settings, PipelineStructure(name, endpoint, "main", None, None), Environment(region=settings.region)
        )
    app.synth()
    return {name: read_stack(folder, f"mw-dev-{name}") for name in ENDPOINTS}


@pytest.fixture(scope="module")
def stack(stacks: dict[str, Stack]) -> Stack:
    return stacks["whales"]


def told(status: str, **changes: Any) -> dict[str, Any]:
    """The event of an execution: https://docs.aws.amazon.com/step-functions/latest/dg/cw-events.html."""
    execution = "arn:aws:states:us-east-1:123456789012:execution:state-machine-name:execution-name"
    detail = {
        "executionArn": execution,
        "stateMachineArn": "<WhalesStateMachine>",
        "name": "execution-name",
        "status": status,
        "startDate": 1551225014968,
        "stopDate": 1551225017576,
        "input": "{}",
        "output": None,
    }
    head = {"source": "aws.states", "detail-type": "Step Functions Execution Status Change", "resources": [execution]}
    return {**head, "detail": {**detail, **changes}}


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (told("ABORTED"), True),
        (told("TIMED_OUT"), True),
        (told("RUNNING", stopDate=None), False),
        (told("SUCCEEDED", output="{}"), False),
        (told("FAILED"), True),
        (told("ABORTED", stateMachineArn="another"), False),
    ],
)
def test_only_what_did_not_end_well_is_let_through(stack: Stack, event: dict[str, Any], *, expected: bool) -> None:
    assert "WhalesStateMachine" in stack.all("AWS::StepFunctions::StateMachine")
    pattern = stack.all("AWS::Events::Rule")["EndedRule"]["EventPattern"]
    check_pattern(pattern)
    assert matches(pattern, event) is expected


def test_the_rule_and_nobody_else_calls_the_function(stack: Stack) -> None:
    rule = stack.all("AWS::Events::Rule")["EndedRule"]
    (target,) = rule["Targets"]
    assert "EventBusName" not in rule
    assert (target["Arn"], target["DeadLetterConfig"]) == ("<CloseRunFunction.Arn>", {"Arn": QUEUE})
    assert stack.one("AWS::Lambda::Permission", FunctionName="<CloseRunFunction>")[1] == {
        "Action": "lambda:InvokeFunction",
        "FunctionName": "<CloseRunFunction>",
        "Principal": "events.amazonaws.com",
        "SourceArn": "<EndedRule.Arn>",
    }


@pytest.mark.parametrize(
    ("action", "resource", "with_endpoint", "without"),
    [
        ("dynamodb:UpdateItem", TABLE, True, True),
        ("dynamodb:GetItem", TABLE, True, False),
        ("dynamodb:PutItem", TABLE, False, False),
        ("dynamodb:DeleteItem", TABLE, False, False),
        ("sagemaker:DescribeEndpoint", f"{SAGEMAKER}endpoint/mw-dev-whales", True, False),
        ("sagemaker:DescribeEndpoint", f"{SAGEMAKER}endpoint/mw-dev-cats", False, False),
        ("sagemaker:UpdateEndpoint", f"{SAGEMAKER}endpoint/mw-dev-whales", False, False),
        ("sagemaker:DeleteEndpoint", f"{SAGEMAKER}endpoint/mw-dev-whales", False, False),
        ("states:StopExecution", "anything", False, False),
        ("sns:Publish", TOPIC, True, False),
        ("sqs:SendMessage", QUEUE, True, True),
    ],
)
def test_it_may_write_look_and_tell_and_no_more(
    stacks: dict[str, Stack], action: str, resource: str, *, with_endpoint: bool, without: bool
) -> None:
    assert stacks["whales"].function_role("close_run").allows(action, resource) is with_endpoint
    assert stacks["cats"].function_role("close_run").allows(action, resource) is without


def test_without_an_endpoint_it_knows_of_none(stacks: dict[str, Stack]) -> None:
    def known(name: str) -> set[str]:
        return set(stacks[name].functions()["close_run"]["Environment"]["Variables"])

    assert known("whales") - known("cats") == {"ENDPOINT_NAME", "TOPIC_ARN"}


def test_what_could_not_be_closed_is_told(stack: Stack) -> None:
    alarm = stack.all("AWS::CloudWatch::Alarm")["RunNotClosedAlarm"]
    watched = {
        (query["MetricStat"]["Metric"]["MetricName"], query["MetricStat"]["Metric"]["Dimensions"][0]["Value"])
        for query in alarm["Metrics"]
        if "MetricStat" in query
    }
    function = {(name, "<CloseRunFunction>") for name in ("Errors", "Throttles", "DeadLetterErrors")}
    assert watched == {*function, ("FailedInvocations", "<EndedRule>")}
