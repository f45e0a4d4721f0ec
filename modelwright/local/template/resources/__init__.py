"""One file a service; importing this package registers every resource type."""

from . import (
    apigateway,
    codebuild,
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
    "codebuild",
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
