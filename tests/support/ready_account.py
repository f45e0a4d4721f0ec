"""An account that is ready for the sample pipeline, and where every stack of it is there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fake_account import ACCOUNT, FakeAccount, Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

OUTPUTS = [
    "StateMachineArn",
    "EndpointName",
    "ModelPackageGroupName",
    "DataBucketName",
    "ArtifactBucketName",
    "TableName",
    "EventBusName",
    "TopicArn",
    "StateMachineLogGroup",
    "Structure",
    "KeyArn",
]


def described(params: Mapping[str, Any]) -> Any:
    """What DescribeStacks answers for any stack."""
    outputs = [{"OutputKey": name, "OutputValue": name.lower()} for name in OUTPUTS]
    return {
        "Stacks": [
            {
                "StackName": params["StackName"],
                "StackStatus": "CREATE_COMPLETE",
                "CreationTime": "2026-11-20T00:00:00Z",
                "Outputs": outputs,
            }
        ]
    }


def ready_account() -> FakeAccount:
    """Return it; a test may change its answers."""
    quotas = [
        {"QuotaName": f"{instance} usage", "QuotaCode": "L-1", "Value": 4.0}
        for instance in (
            *("ml.m5.large for training job", "ml.m5.large for processing job", "ml.m5.large for transform job"),
            "ml.t2.medium for endpoint",
        )
    ]
    builds = {"QuotaName": "Concurrently running builds for Linux/Small environment", "QuotaCode": "L-2", "Value": 1.0}
    quotas.append(builds)
    return FakeAccount(
        {
            "sts:GetCallerIdentity": {"Account": ACCOUNT, "Arn": "arn:aws:iam::111122223333:user/x", "UserId": "A"},
            "ssm:GetParameter": {"Parameter": {"Value": "30"}},
            "ssm:GetParameters": {"Parameters": []},
            "cloudformation:ListStacks": {"StackSummaries": []},
            "cloudformation:DescribeStacks": described,
            "cloudformation:DescribeStackResources": {"StackResources": []},
            "service-quotas:ListServiceQuotas": {"Quotas": quotas},
            "ecr:BatchGetImage": {"images": [{"imageManifest": "{}"}]},
            "sagemaker:DescribeEndpoint": Refusal("ValidationException", "Could not find endpoint"),
            "logs:DescribeResourcePolicies": {"resourcePolicies": []},
            "s3:HeadObject": Refusal("404", status=404),
            "s3:ListObjectsV2": {"KeyCount": 0},
            "s3:PutObject": {},
            "cloudformation:DescribeStackEvents": {"StackEvents": []},
            "application-autoscaling:DescribeScalingPolicies": {"ScalingPolicies": []},
        }
    )
