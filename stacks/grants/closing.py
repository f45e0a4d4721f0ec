"""What the Lambda `close_run` may do: write a run's end, free the lease, look at the endpoint, tell, and give up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stacks.grants.target import via
from stacks.policies import Statement

if TYPE_CHECKING:
    from stacks.grants.target import Target


def close_run_statements(target: Target, *, has_endpoint: bool) -> tuple[Statement, ...]:
    """Return the function's policy without its log and traces. Without an endpoint there is no lease and no message."""
    use = ("kms:Decrypt", "kms:GenerateDataKey")
    queue = target.shared.dead_letter_queue_arn
    return (
        Statement("CloseRuns", ("dynamodb:UpdateItem",), (target.table,)),
        *target.use_key("DecryptTheTable", "kms:Decrypt", conditions=via("dynamodb")),
        *(_about_the_endpoint(target) if has_endpoint else ()),
        Statement("GiveUp", ("sqs:SendMessage",), (queue,)),
        *target.use_key("EncryptDeadLetters", *use, conditions=via("sqs")),
    )


def _about_the_endpoint(target: Target) -> tuple[Statement, ...]:
    use = ("kms:Decrypt", "kms:GenerateDataKey")
    return (
        Statement("ReadRunAndChampion", ("dynamodb:GetItem",), (target.table,)),
        Statement("LookAtTheEndpoint", ("sagemaker:DescribeEndpoint",), (target.endpoint,)),
        Statement("TellOfAnUntestedModel", ("sns:Publish",), (target.shared.topic_arn,)),
        *target.use_key("EncryptMessages", *use, conditions=via("sns")),
    )
