"""What the Lambda `publish_merge` may do: read the one repository, publish, announce, tell, and give up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stacks.grants.publishing import publishing
from stacks.grants.target import via
from stacks.policies import Statement, arn

if TYPE_CHECKING:
    from stacks.grants.target import Target


def publish_merge_statements(target: Target, repository: str) -> tuple[Statement, ...]:
    """Return the function's policy without its log and traces.

    A queue or a topic under a key is written to with the sender's right to that key, for both of these actions:
    https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html
    The function's role sends its dead letters: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
    """
    use = ("kms:Decrypt", "kms:GenerateDataKey")
    reading = ("codecommit:GetFile", "codecommit:GetFolder")
    return (
        Statement("ReadTheRepository", reading, (repository_arn(repository),)),
        *publishing(target),
        Statement("TellOfWhatIsRefused", ("sns:Publish",), (target.shared.topic_arn,)),
        *target.use_key("EncryptMessages", *use, conditions=via("sns")),
        Statement("GiveUp", ("sqs:SendMessage",), (target.shared.dead_letter_queue_arn,)),
        *target.use_key("EncryptDeadLetters", *use, conditions=via("sqs")),
    )


def repository_arn(repository: str) -> str:
    """Return the ARN of a repository in this account and region.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_awscodecommit.html
    """
    return arn("codecommit", repository)
