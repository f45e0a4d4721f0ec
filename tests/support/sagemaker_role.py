"""A role that SageMaker takes, and what it needs whatever it does: to pull its image and to write its log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelwright.local.cloud import Cloud

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.9-0-cpu-py3"
REPOSITORY = "arn:aws:ecr:us-east-1:683313688378:repository/sagemaker-scikit-learn"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
Grants = dict[str, tuple[list[str], str | list[str]]]
LOG_IN: Grants = {"LogIn": (["ecr:GetAuthorizationToken"], "*")}
PULL: Grants = {
    **LOG_IN,
    "Pull": (["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"], REPOSITORY),
}


def log_to(groups: str) -> Grants:
    """What writes to log groups of these names, `/aws/sagemaker/*`."""
    actions = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
    return {"Log": (actions, f"arn:aws:logs:us-east-1:123456789012:log-group:{groups}")}


def put_granted(cloud: Cloud, arn: str, grants: Grants, *, without: str = "", trust: Mapping[str, Any] = TRUST) -> str:
    """Make a role with these grants but one; its ARN."""
    statements = [
        {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resource}
        for sid, (actions, resource) in grants.items()
        if sid != without
    ]
    cloud.iam.put_role(arn, trust, {"grants": {"Version": "2012-10-17", "Statement": statements}})
    return arn
