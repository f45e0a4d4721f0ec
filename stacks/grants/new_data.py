"""What the Lambda `count_records` may do: read new objects, count, start this pipeline, tell, and give up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from stacks.grants.target import via
from stacks.policies import Statement, bucket_arn, objects

if TYPE_CHECKING:
    from stacks.grants.target import Target


@dataclass(frozen=True)
class Watched:
    """Where new data appear: the data source if that is a prefix in S3, else a part of the data bucket."""

    bucket: str
    prefix: str
    """It ends with a slash."""
    own: bool = False
    """Whether it is the environment's data bucket, which keeps versions."""

    @property
    def uri(self) -> str:
        """`s3://bucket/prefix/`."""
        return f"s3://{self.bucket}/{self.prefix}"


def count_records_statements(target: Target, watched: Watched, machine: str) -> tuple[Statement, ...]:
    """Return the function's policy without its log and traces.

    A version is read by its name, and a bucket that is not ours may keep none; what is not there answers 404 only to
    who may list: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
    """
    reading = ("s3:GetObjectVersion",) if watched.own else ("s3:GetObject", "s3:GetObjectVersion")
    use, why = ("kms:Decrypt", "kms:GenerateDataKey"), "whoever puts data there names them"
    table = ("dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem")
    return (
        Statement("ListNewData", ("s3:ListBucket",), (bucket_arn(watched.bucket),)),
        Statement("ReadNewData", reading, objects(watched.bucket, watched.prefix), why=why),
        *target.use_key("DecryptNewData", "kms:Decrypt", conditions=via("s3")),
        Statement("Count", table, (target.table,)),
        *target.use_key("DecryptTheTable", "kms:Decrypt", conditions=via("dynamodb")),
        Statement("StartExecutions", ("states:StartExecution",), (machine,)),
        Statement("TellOfWhatCannotBeCounted", ("sns:Publish",), (target.shared.topic_arn,)),
        *target.use_key("EncryptMessages", *use, conditions=via("sns")),
        Statement("GiveUp", ("sqs:SendMessage",), (target.shared.dead_letter_queue_arn,)),
        *target.use_key("EncryptDeadLetters", *use, conditions=via("sqs")),
    )
