"""An execution that was stopped, took too long or failed past its states has none left to close its run: a Lambda does.

Step Functions tells the default bus of each execution's status:
https://docs.aws.amazon.com/step-functions/latest/dg/cw-events.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aws_cdk import aws_events as events

from modelwright.workflow.trigger_functions import CLOSE_RUN
from stacks.constructs.alarms import Says, command
from stacks.constructs.functions import Special
from stacks.constructs.rule_calls import call, lost_events, permit
from stacks.grants.closing import close_run_statements

if TYPE_CHECKING:
    from aws_cdk import aws_lambda as lambda_
    from constructs import Construct

    from stacks.constructs.alarms import Alarms
    from stacks.constructs.functions import Functions
    from stacks.grants.target import Target
    from stacks.names import PipelineNames

NOT_WELL = ("ABORTED", "TIMED_OUT", "FAILED")
"""What an execution becomes that may have ended past its states; the function sees whether one of them was there."""


@dataclass(frozen=True)
class Closing:
    """The Lambda that closes runs, and the rule that calls it."""

    function: lambda_.CfnFunction
    rule: events.CfnRule


def close_runs(scope: Construct, maker: Functions, target: Target, machine: str, *, has_endpoint: bool) -> Closing:
    """Make the Lambda, and the rule that calls it for each execution of `machine` that did not end well."""
    queue = target.shared.dead_letter_queue_arn
    values = {} if has_endpoint else dict.fromkeys(("TOPIC_ARN", "ENDPOINT_NAME"))
    statements = close_run_statements(target, has_endpoint=has_endpoint)
    function = maker.make(CLOSE_RUN, Special(None, statements, queue, values))
    rule = _rule(scope, target, machine, call("CloseRun", function, queue))
    permit(scope, "CloseEndedRuns", function, rule)
    return Closing(function, rule)


def _rule(scope: Construct, target: Target, machine: str, called: dict[str, Any]) -> events.CfnRule:
    return events.CfnRule(
        scope,
        "EndedRule",
        description=f"A run of {target.pipeline} that was stopped, took too long or failed past its states is closed",
        event_pattern={
            "source": ["aws.states"],
            "detail-type": ["Step Functions Execution Status Change"],
            "detail": {"stateMachineArn": [machine], "status": list(NOT_WELL)},
        },
        targets=[called],
    )


def closing_alarm(alarms: Alarms, names: PipelineNames, closing: Closing) -> None:
    """Make the alarm of runs that could not be closed, wherever their events were lost."""
    says = Says(
        f"A run of {names.pipeline} that did not end well could not be closed: nobody looked what it left.",
        f"see with {command(names.environment, 'status')} whether the endpoint serves what it should; else check out "
        f"the champion's commit and use {command(names.environment, f'run {names.pipeline}')}. The event lies in the "
        "dead-letter queue (local cloud: `modelwright inbox`).",
    )
    alarms.on_sum("RunNotClosedAlarm", says, lost_events(closing.function, closing.rule))
