"""What starts a pipeline by itself: a merge, a schedule. Each rule makes exactly the execution's input.

Events are delivered at least once; `trigger.id` is the event's own id, so that a second delivery is seen to be one.
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aws_cdk import aws_events as events

from stacks.constructs.rule_calls import EVENT_AGE_SECONDS, RETRIES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from constructs import Construct

MERGE_SOURCE = "modelwright"
MERGE_DETAIL_TYPE = "Merge"


@dataclass(frozen=True)
class Start:
    """What a rule does: start this state machine with this role; what cannot be delivered goes to the queue."""

    pipeline: str
    state_machine_arn: str
    role_arn: str
    dead_letter_queue_arn: str


def merge_rule(scope: Construct, start: Start, event_bus: str, branch: str, event_path: str = "$.id") -> events.CfnRule:
    """Start the release of a merge into `branch` that is announced on our own bus; `event_path` is what names it.

    The event names the release, which was published before: `detail` is
    `{"pipeline", "branch", "commit", "release"}`.
    """
    pattern = {
        "source": [MERGE_SOURCE],
        "detail-type": [MERGE_DETAIL_TYPE],
        "detail": {
            "pipeline": [start.pipeline],
            "branch": [branch],
            "commit": [{"exists": True}],
            "release": [{"exists": True}],
            **({event_path.removeprefix("$.detail."): [{"exists": True}]} if event_path != "$.id" else {}),
        },
    }
    trigger = {"kind": "merge", "id": "<id>", "commit": "<commit>"}
    paths = {"id": event_path, "commit": "$.detail.commit", "release": "$.detail.release"}
    return events.CfnRule(
        scope,
        "MergeRule",
        description=f"A merge into {branch} runs {start.pipeline}",
        event_bus_name=event_bus,
        event_pattern=pattern,
        targets=[start_target(start, paths, execution_input(start.pipeline, "<release>", trigger))],
    )


def schedule_rule(scope: Construct, start: Start, expression: str) -> events.CfnRule:
    """Start the default release by the clock; schedules exist on the default bus only.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-rule-schedule.html
    """
    trigger = {"kind": "schedule", "id": "<id>"}
    return events.CfnRule(
        scope,
        "ScheduleRule",
        description=f"{expression} runs {start.pipeline}",
        schedule_expression=expression,
        targets=[start_target(start, {"id": "$.id"}, execution_input(start.pipeline, "default", trigger))],
    )


def execution_input(pipeline: str, release: str, trigger: Mapping[str, str]) -> str:
    """The execution's input as a template: a placeholder stands unquoted, EventBridge quotes the text it puts there."""
    text = json.dumps({"schema": 1, "pipeline": pipeline, "release": release, "trigger": dict(trigger)})
    return text.replace('"<', "<").replace('>"', ">")


def start_target(start: Start, paths: Mapping[str, str], template: str) -> dict[str, Any]:
    """The rule's target: the state machine, whose input is made by `template` of what `paths` find in the event."""
    return {
        "id": "StateMachine",
        "arn": start.state_machine_arn,
        "roleArn": start.role_arn,
        "inputTransformer": {"inputPathsMap": dict(paths), "inputTemplate": template},
        "retryPolicy": {"maximumEventAgeInSeconds": EVENT_AGE_SECONDS, "maximumRetryAttempts": RETRIES},
        "deadLetterConfig": {"arn": start.dead_letter_queue_arn},
    }
