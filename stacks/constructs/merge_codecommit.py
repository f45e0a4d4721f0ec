"""Merges from CodeCommit: a rule for one branch of one repository, and the Lambda that publishes what came there.

CodeCommit's events reach the default bus only:
https://docs.aws.amazon.com/codecommit/latest/userguide/monitoring-events.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aws_cdk import aws_events as events

from modelwright.workflow.trigger_functions import PUBLISH_MERGE
from stacks.constructs.alarms import Says
from stacks.constructs.functions import Special
from stacks.constructs.merge_asset import merge_asset
from stacks.constructs.rule_calls import call, lost_events, permit
from stacks.grants.codecommit import publish_merge_statements, repository_arn

if TYPE_CHECKING:
    from aws_cdk import aws_lambda as lambda_
    from constructs import Construct

    from modelwright.config.environment import EnvironmentSettings
    from stacks.constructs.alarms import Alarms
    from stacks.constructs.functions import Functions
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
    permit(scope, "MergeFromCodeCommit", function, rule)
    return function


def merge_alarm(alarms: Alarms, pipeline: str, function: lambda_.CfnFunction) -> None:
    """Make the alarm of merges that started nothing, though nothing is wrong with the commit.

    A commit that cannot be released is no error: the topic is told what is wrong with it.
    """
    says = Says(
        f"A merge could not be published for {pipeline}, so no run was started.",
        "read its event in the dead-letter queue (local cloud: `modelwright inbox`), put its cause right, push again.",
    )
    alarms.on_sum("PublishMergeAlarm", says, lost_events(function))


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
    return events.CfnRule(
        scope,
        "CodeCommitRule",
        description=f"What comes to {merges.branch} of {merges.repository} is published for {merges.target.pipeline}",
        event_pattern=pattern,
        targets=[call("PublishMerge", function, merges.target.shared.dead_letter_queue_arn)],
    )
