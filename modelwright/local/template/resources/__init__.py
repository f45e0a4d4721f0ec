"""One file a service; importing this package registers every resource type."""

from . import dynamodb, ecr, events, functions, iam, kms, logs, messages, monitoring, s3, sagemaker, ssm, stepfunctions

__all__ = [
    "dynamodb",
    "ecr",
    "events",
    "functions",
    "iam",
    "kms",
    "logs",
    "messages",
    "monitoring",
    "s3",
    "sagemaker",
    "ssm",
    "stepfunctions",
]
