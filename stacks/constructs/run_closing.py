"""An execution that was stopped, or took too long, has no state left that could close its run: a Lambda does.

Step Functions tells the default bus of each execution's status:
https://docs.aws.amazon.com/step-functions/latest/dg/cw-events.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aws_cdk import aws_events as events
from aws_cdk import aws_lambda as lambda_

from modelwright.workflow.trigger_functions import CLOSE_RUN
from stacks.constructs.alarms import Alarms, Metric, Says, command
from stacks.constructs.functions import Functions, Special
from stacks.constructs.triggers import EVENT_AGE_SECONDS
from stacks.grants.closing import close_run_statements

if TYPE_CHECKING:
    from constructs import Construct

    from stacks.grants.target import Target
    from stacks.names import PipelineNames

FROM_OUTSIDE = ("ABORTED", "TIMED_OUT")
"""What an execution becomes that none of its states ended."""


@dataclass(frozen=True)
class Closing:
    """The Lambda that closes runs, and the rule that calls it."""

    function: lambda_.CfnFunction
    rule: events.CfnRule


def close_runs(scope: Construct, maker: Functions, target: Target, machine: str, *, has_endpoint: bool) -> Closing:
    """Make the Lambda, and the rule that calls it for each execution of `machine` that was ended from outside."""
    queue = target.shared.dead_letter_queue_arn
    values = {} if has_endpoint else dict.fromkeys(("TOPIC_ARN", "ENDPOINT_NAME"))
    statements = close_run_statements(target, has_endpoint=has_endpoint)
    function = maker.make(CLOSE_RUN, Special(None, statements, queue, values))
    rule = events.CfnRule(
        scope,
        "EndedRule",
        description=f"A run of {target.pipeline} that was stopped or took too long is closed",
        event_pattern={
            "source": ["aws.states"],
            "detail-type": ["Step Functions Execution Status Change"],
            "detail": {"stateMachineArn": [machine], "status": list(FROM_OUTSIDE)},
        },
        targets=[
            {
                "id": "CloseRun",
                "arn": function.attr_arn,
                "retryPolicy": {"maximumEventAgeInSeconds": EVENT_AGE_SECONDS, "maximumRetryAttempts": 10},
                "deadLetterConfig": {"arn": queue},
            }
        ],
    )
    lambda_.CfnPermission(
        scope,
        "CloseEndedRuns",
        action="lambda:InvokeFunction",
        function_name=function.ref,
        principal="events.amazonaws.com",
        source_arn=rule.attr_arn,
    )
    return Closing(function, rule)


def closing_alarm(alarms: Alarms, names: PipelineNames, closing: Closing) -> None:
    """Make the alarm of runs that could not be closed, wherever their events were lost."""
    metrics = [
        Metric("AWS/Lambda", name, {"FunctionName": closing.function.ref})
        for name in ("Errors", "Throttles", "DeadLetterErrors")
    ]
    metrics.append(Metric("AWS/Events", "FailedInvocations", {"RuleName": closing.rule.ref}))
    says = Says(
        f"A run of {names.pipeline} that was stopped or took too long could not be closed: nobody looked what it left.",
        f"see with {command(names.environment, 'status')} whether the endpoint serves what it should; else check out "
        f"the champion's commit and use {command(names.environment, f'run {names.pipeline}')}. The event lies in the "
        "dead-letter queue (local cloud: `modelwright inbox`).",
    )
    alarms.on_sum("RunNotClosedAlarm", says, metrics)
