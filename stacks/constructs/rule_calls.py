"""A rule that calls a Lambda: the target, the permission, and how one sees that an event never arrived."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import aws_lambda as lambda_

from stacks.constructs.alarms import Metric

if TYPE_CHECKING:
    from aws_cdk import aws_events as events
    from constructs import Construct

EVENT_AGE_SECONDS = 6 * 3600
"""What could not be delivered for so long goes to the dead letters: a person looks at it."""
RETRIES = 10


def call(
    id_: str,
    function: lambda_.CfnFunction,
    dead_letter_queue_arn: str,
    *,
    age_seconds: int = EVENT_AGE_SECONDS,
    retries: int = RETRIES,
) -> dict[str, Any]:
    """Return the rule's target; `id_` names it among the rule's own."""
    return {
        "id": id_,
        "arn": function.attr_arn,
        "retryPolicy": {"maximumEventAgeInSeconds": age_seconds, "maximumRetryAttempts": retries},
        "deadLetterConfig": {"arn": dead_letter_queue_arn},
    }


def permit(scope: Construct, id_: str, function: lambda_.CfnFunction, rule: events.CfnRule) -> None:
    """Let this rule call the function, and no other."""
    lambda_.CfnPermission(
        scope,
        id_,
        action="lambda:InvokeFunction",
        function_name=function.ref,
        principal="events.amazonaws.com",
        source_arn=rule.attr_arn,
    )


def lost_events(function: lambda_.CfnFunction, rule: events.CfnRule | None = None) -> list[Metric]:
    """Return the metrics of events that the function gave up, and of those that `rule` could not hand to it.

    https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
    """
    names = ("Errors", "Throttles", "DeadLetterErrors")
    given_up = [Metric("AWS/Lambda", name, {"FunctionName": function.ref}) for name in names]
    return [*given_up, Metric("AWS/Events", "FailedInvocations", {"RuleName": rule.ref})] if rule else given_up
