"""One file a service; importing this package registers every resource type."""

from . import (
    apigateway,
    dynamodb,
    ec2,
    ecr,
    events,
    functions,
    iam,
    kms,
    logs,
    messages,
    monitoring,
    s3,
    sagemaker,
    ssm,
    stepfunctions,
)

__all__ = [
    "apigateway",
    "dynamodb",
    "ec2",
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
