"""New data start a run: a marker says that a folder is complete, or so many records have come.

S3 tells EventBridge's default bus, when its bucket is asked to:
https://docs.aws.amazon.com/AmazonS3/latest/userguide/EventBridge.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aws_cdk import aws_events as events

from modelwright.workflow.trigger_functions import COUNT_RECORDS
from stacks.constructs.alarms import Says
from stacks.constructs.functions import Special
from stacks.constructs.rule_calls import call, lost_events, permit
from stacks.constructs.triggers import Start, execution_input, start_target
from stacks.grants.new_data import Watched, count_records_statements

if TYPE_CHECKING:
    from aws_cdk import aws_lambda as lambda_
    from constructs import Construct

    from modelwright.config.structure import PipelineStructure
    from stacks.constructs.alarms import Alarms
    from stacks.constructs.functions import Functions
    from stacks.grants.target import Target
    from stacks.shared import Shared


def watched_data(structure: PipelineStructure, shared: Shared) -> Watched:
    """Return where the pipeline watches for new data, whether they start a run or not."""
    source = structure.external_data or ""
    if not source.endswith("/"):
        return Watched(shared.data_bucket, f"incoming/{structure.pipeline}/", own=True)
    bucket, _, prefix = source.removeprefix("s3://").partition("/")
    return Watched(bucket, prefix)


def marker_rule(scope: Construct, start: Start, watched: Watched, marker: str) -> events.CfnRule:
    """Start the default release on the folder of each new object `marker`, in the prefix itself or anywhere below.

    Bucket and object are handed on as the objects that S3 describes them by: EventBridge puts a text into a template
    as it is, and a key with a quote would end it. https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
    """
    keys = [f"{watched.prefix}{marker}", {"wildcard": f"{_literal(watched.prefix)}*/{_literal(marker)}"}]
    trigger = {"kind": "data", "id": "<id>", "bucket": "<bucket>", "object": "<object>"}
    paths = {"id": "$.id", "bucket": "$.detail.bucket", "object": "$.detail.object"}
    return events.CfnRule(
        scope,
        "DataRule",
        description=f"A new {marker} under {watched.prefix} runs {start.pipeline} on its folder",
        event_pattern=_created(watched, keys),
        targets=[start_target(start, paths, execution_input(start.pipeline, "default", trigger))],
    )


@dataclass(frozen=True)
class Counting:
    """What is counted, for whom, and how many records start a run."""

    target: Target
    watched: Watched
    every_records: int
    state_machine_arn: str


def count_new_records(scope: Construct, maker: Functions, counting: Counting) -> lambda_.CfnFunction:
    """Make the Lambda that counts the records of each new object, and the rule that calls it."""
    queue, watched = counting.target.shared.dead_letter_queue_arn, counting.watched
    statements = count_records_statements(counting.target, watched, counting.state_machine_arn)
    values = {"STATE_MACHINE_ARN": counting.state_machine_arn, "EVERY_RECORDS": str(counting.every_records)}
    function = maker.make(COUNT_RECORDS, Special(None, statements, queue, values))
    rule = events.CfnRule(
        scope,
        "NewDataRule",
        description=f"New objects under {watched.prefix} are counted for {counting.target.pipeline}",
        event_pattern=_created(watched, [{"prefix": watched.prefix}]),
        targets=[call("CountRecords", function, queue)],
    )
    permit(scope, "CountNewData", function, rule)
    return function


def counting_alarm(alarms: Alarms, pipeline: str, function: lambda_.CfnFunction) -> None:
    """Make the alarm of objects that could not be counted, though nothing is wrong with them."""
    says = Says(
        f"New data of {pipeline} could not be counted, so they bring no run nearer.",
        "read their events in the dead-letter queue (local cloud: `modelwright inbox`), put the cause right, put the "
        "objects there again.",
    )
    alarms.on_sum("CountRecordsAlarm", says, lost_events(function))


def _created(watched: Watched, keys: list[Any]) -> dict[str, Any]:
    return {
        "source": ["aws.s3"],
        "detail-type": ["Object Created"],
        "detail": {"bucket": {"name": [watched.bucket]}, "object": {"key": keys}},
    }


def _literal(text: str) -> str:
    """`text` in a wildcard, where a star and a backslash are escaped.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html#eb-filtering-wildcard-matching
    """
    return re.sub(r"([*\\])", r"\\\1", text)
