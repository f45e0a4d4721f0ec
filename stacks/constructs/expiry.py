"""An endpoint that nobody deployed to for `deploy.ttl_hours` is deleted: a schedule asks a Lambda again and again.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-rule-schedule.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aws_cdk import aws_events as events

from modelwright.workflow.trigger_functions import EXPIRE_ENDPOINT
from stacks.constructs.alarms import Says, command
from stacks.constructs.functions import Special
from stacks.constructs.rule_calls import call, lost_events, permit
from stacks.grants.expiring import expire_endpoint_statements

if TYPE_CHECKING:
    from aws_cdk import aws_lambda as lambda_
    from constructs import Construct

    from stacks.constructs.alarms import Alarms
    from stacks.constructs.functions import Functions
    from stacks.grants.target import Target

EVERY = "rate(15 minutes)"
"""An endpoint may live a quarter of an hour longer than it has to."""
EVENT_AGE_SECONDS = 3600
"""The next event asks the same."""


@dataclass(frozen=True)
class Expiry:
    """After how long an endpoint ends, and whether it has scalable targets."""

    ttl_hours: int
    scales: bool


def expire_endpoint(scope: Construct, maker: Functions, target: Target, alarms: Alarms, expiry: Expiry) -> None:
    """Make the Lambda, the rule that calls it, and the alarm of an endpoint that it could not delete."""
    ttl_hours, scales = expiry.ttl_hours, expiry.scales
    queue = target.shared.dead_letter_queue_arn
    values = {"TTL_HOURS": str(ttl_hours), "SCALES": "yes" if scales else None}
    special = Special(None, expire_endpoint_statements(target, scales=scales), queue, values)
    function = maker.make(EXPIRE_ENDPOINT, special)
    rule = _rule(scope, target, function, ttl_hours)
    permit(scope, "ExpireEndpoints", function, rule)
    _alarm(alarms, target, function, rule)


def _rule(scope: Construct, target: Target, function: lambda_.CfnFunction, ttl_hours: int) -> events.CfnRule:
    queue = target.shared.dead_letter_queue_arn
    return events.CfnRule(
        scope,
        "ExpiryRule",
        description=f"The endpoint of {target.pipeline} ends {ttl_hours} hours after its last deployment",
        schedule_expression=EVERY,
        targets=[call("ExpireEndpoint", function, queue, age_seconds=EVENT_AGE_SECONDS, retries=2)],
    )


def _alarm(alarms: Alarms, target: Target, function: lambda_.CfnFunction, rule: events.CfnRule) -> None:
    """What costs by the hour stays: somebody has to know."""
    names = target.names
    says = Says(
        f"The endpoint {names.prefix} could not be looked at or deleted when its time was over: it may go on costing.",
        f"read the log of the Lambda expire_endpoint; delete the endpoint, or run "
        f"{command(names.environment, f'destroy {names.pipeline}')}.",
    )
    alarms.on_sum("EndpointNotExpiredAlarm", says, lost_events(function, rule))
