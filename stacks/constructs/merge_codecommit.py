"""Merges from CodeCommit: a rule for one branch of one repository, and the Lambda that publishes what came there.

CodeCommit's events reach the default bus only:
https://docs.aws.amazon.com/codecommit/latest/userguide/monitoring-events.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aws_cdk import aws_events as events
from aws_cdk import aws_lambda as lambda_

from modelwright.workflow.trigger_functions import PUBLISH_MERGE
from stacks.constructs.alarms import Alarms, Metric, Says
from stacks.constructs.functions import Functions, Special
from stacks.constructs.merge_asset import merge_asset
from stacks.constructs.triggers import EVENT_AGE_SECONDS
from stacks.grants.codecommit import publish_merge_statements, repository_arn

if TYPE_CHECKING:
    from constructs import Construct

    from modelwright.config.environment import EnvironmentSettings
    from stacks.grants.target import Target

EVENT_PATH = "$.detail.event"
"""What names a merge once for ever in the announcement of this Lambda: CodeCommit's event, however often it comes."""


@dataclass(frozen=True)
class Merges:
    """Which branch of which repository is watched, and for which pipeline."""

    target: Target
    repository: str
    branch: str


def merge_from_codecommit(
    scope: Construct, maker: Functions, merges: Merges, settings: EnvironmentSettings
) -> lambda_.CfnFunction:
    """Make the Lambda, and the rule that hands it what a push does to the branch."""
    queue = merges.target.shared.dead_letter_queue_arn
    statements = publish_merge_statements(merges.target, merges.repository)
    function = maker.make(PUBLISH_MERGE, Special(merge_asset(scope, settings), statements, queue))
    rule = _rule(scope, merges, function)
    lambda_.CfnPermission(
        scope,
        "MergeFromCodeCommit",
        action="lambda:InvokeFunction",
        function_name=function.ref,
        principal="events.amazonaws.com",
        source_arn=rule.attr_arn,
    )
    return function


def merge_alarm(alarms: Alarms, pipeline: str, function: lambda_.CfnFunction) -> None:
    """Make the alarm of merges that started nothing, though nothing is wrong with the commit.

    A commit that cannot be released is no error: the topic is told what is wrong with it.
    https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
    """
    names = ("Errors", "Throttles", "DeadLetterErrors")
    metrics = [Metric("AWS/Lambda", name, {"FunctionName": function.ref}) for name in names]
    says = Says(
        f"A merge could not be published for {pipeline}, so no run was started.",
        "read its event in the dead-letter queue (local cloud: `modelwright inbox`), put its cause right, push again.",
    )
    alarms.on_sum("PublishMergeAlarm", says, metrics)


def _rule(scope: Construct, merges: Merges, function: lambda_.CfnFunction) -> events.CfnRule:
    """A branch that was made, pushed to or moved by force; one that is deleted leads to no commit."""
    pattern = {
        "source": ["aws.codecommit"],
        "detail-type": ["CodeCommit Repository State Change"],
        "resources": [repository_arn(merges.repository)],
        "detail": {
            "event": ["referenceCreated", "referenceUpdated"],
            "referenceType": ["branch"],
            "referenceName": [merges.branch],
        },
    }
    target = {
        "id": "PublishMerge",
        "arn": function.attr_arn,
        "retryPolicy": {"maximumEventAgeInSeconds": EVENT_AGE_SECONDS, "maximumRetryAttempts": 10},
        "deadLetterConfig": {"arn": merges.target.shared.dead_letter_queue_arn},
    }
    return events.CfnRule(
        scope,
        "CodeCommitRule",
        description=f"What comes to {merges.branch} of {merges.repository} is published for {merges.target.pipeline}",
        event_pattern=pattern,
        targets=[target],
    )
