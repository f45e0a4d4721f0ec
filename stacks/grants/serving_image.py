"""What compiling a model takes: of CodeBuild's role, and of the state machine's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelwright.workflow.serving_image import repository_name
from stacks.policies import NO_RESOURCE, Statement, arn

if TYPE_CHECKING:
    from stacks.grants.target import Target

BUILD_RULE = "StepFunctionsGetEventForCodeBuildStartBuildRule"


def repository_arn(environment: str) -> str:
    """Return the ARN of the environment's repository of serving images."""
    return arn("ecr", f"repository/{repository_name(environment)}")


def building(target: Target, bucket: str, key: str, log_group_arn: str) -> tuple[Statement, ...]:
    """Return what a build does: read its context, look for the images, push them, write its log.

    https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-push-iam.html
    """
    repository = repository_arn(target.names.environment)
    push = (
        "ecr:BatchCheckLayerAvailability",
        "ecr:BatchGetImage",
        "ecr:CompleteLayerUpload",
        "ecr:DescribeImages",
        "ecr:InitiateLayerUpload",
        "ecr:PutImage",
        "ecr:UploadLayerPart",
    )
    return (
        Statement("ReadTheContext", ("s3:GetObject",), (arn("s3", f"{bucket}/{key}", region="", account=""),)),
        Statement("LogInToTheRegistry", ("ecr:GetAuthorizationToken",), ("*",), why=NO_RESOURCE),
        Statement("PushImages", push, (repository,)),
        Statement("WriteLog", ("logs:CreateLogStream", "logs:PutLogEvents"), (log_group_arn,)),
    )


def having_built(target: Target, project_arn: str) -> tuple[Statement, ...]:
    """Return what the state machine does: look for the images, and have them built. It hears of the end as of jobs'.

    https://docs.aws.amazon.com/step-functions/latest/dg/codebuild-iam.html
    """
    verbs = ("codebuild:BatchGetBuilds", "codebuild:StartBuild", "codebuild:StopBuild")
    return (
        Statement("FindImages", ("ecr:DescribeImages",), (repository_arn(target.names.environment),)),
        Statement("BuildImages", verbs, (project_arn,)),
    )
