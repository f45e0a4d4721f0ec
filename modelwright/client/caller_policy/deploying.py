"""What who deploys needs, and looks at before with `doctor`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelwright.client.caller_policy.statements import Statement, allow, end_scaling, find_stacks, table
from modelwright.config.images import framework_repositories

if TYPE_CHECKING:
    from modelwright.client.caller_policy.place import Place

_ACCOUNT = (
    "cloudformation:ListStacks",
    "codecommit:GetBranch",
    "ec2:DescribeRouteTables",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcEndpoints",
    "iam:GetOpenIDConnectProvider",
    "iam:GetPolicy",
    "iam:ListOpenIDConnectProviders",
    "logs:DescribeResourcePolicies",
    "s3:ListBucket",
    "servicequotas:ListAWSDefaultServiceQuotas",
    "servicequotas:ListServiceQuotas",
)
"""None of these takes a resource that could be named before it is there."""


def deploy_policy(place: Place) -> list[Statement]:
    """For `deploy`, `diff` and `doctor --aws`, beside the policy of who runs: a deploy publishes what schedules run.

    CDK does everything as the roles of the bootstrap, which are trusted for the account:
    https://docs.aws.amazon.com/cdk/v2/guide/bootstrapping-env.html#bootstrapping-env-roles
    """
    roles = f"arn:{place.partition}:iam::{place.account}:role/cdk-{place.qualifier}-*-{place.account}-{place.region}"
    parameter = place.arn("ssm", f"parameter/cdk-bootstrap/{place.qualifier}/version")
    return [
        allow("DeployAsTheRolesOfTheBootstrap", ["sts:AssumeRole"], [roles]),
        allow("ReadTheBootstrapVersion", ["ssm:GetParameter"], [parameter]),
        find_stacks(place, "cloudformation:DescribeStackEvents", "cloudformation:DescribeStackResources"),
        allow("LookAtTheAccount", _ACCOUNT, ["*"]),
        allow("LookAtTheLogsOfApis", ["apigateway:GET"], [place.arn("apigateway", "/account", account="")]),
        *_look_at_what_is_kept(place),
        # takes no resource: https://docs.aws.amazon.com/service-authorization/latest/reference/list_applicationautoscaling.html
        allow("SeeWhatScales", ["application-autoscaling:DescribeScalingPolicies"], ["*"]),
        *end_scaling(place),
    ]


def _look_at_what_is_kept(place: Place) -> list[Statement]:
    registries = [
        place.arn("ecr", f"repository/{name}", account=owner) for owner, name in framework_repositories(place.region)
    ]
    groups = place.each("sagemaker", "model-package-group/{name}")
    return [
        allow("LookAtTheTable", ["dynamodb:DescribeTable"], [table(place)]),
        allow("LookAtRepositories", ["ecr:DescribeRepositories"], place.each("ecr", "repository/{name}")),
        allow("LookAtImages", ["ecr:BatchGetImage"], registries),
        allow("LookAtEndpoints", ["sagemaker:DescribeEndpoint"], place.each("sagemaker", "endpoint/{name}")),
        allow("LookAtPackageGroups", ["sagemaker:DescribeModelPackageGroup"], groups),
        allow("LookAtTheKeyChoice", ["ssm:GetParameters"], place.parameters("artifact-bucket", "key-arn")),
    ]
