"""The service-linked role as which Application Auto Scaling changes endpoints.

https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-service-linked-roles.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from modelwright.local.cloud import Cloud
    from modelwright.local.service import Caller

PRINCIPAL = "sagemaker.application-autoscaling.amazonaws.com"
_NAME = "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"
_KIND = "service-linked-role"
_TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": PRINCIPAL}, "Action": "sts:AssumeRole"}],
}
_POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "SageMaker",
            "Effect": "Allow",
            "Action": [
                "sagemaker:DescribeEndpoint",
                "sagemaker:DescribeEndpointConfig",
                "sagemaker:DescribeInferenceComponent",
                "sagemaker:UpdateEndpointWeightsAndCapacities",
                "sagemaker:UpdateInferenceComponentRuntimeConfig",
                "cloudwatch:DescribeAlarms",
                "cloudwatch:GetMetricData",
            ],
            "Resource": ["*"],
        },
        {
            "Sid": "SageMakerCloudWatchUpdate",
            "Effect": "Allow",
            "Action": ["cloudwatch:PutMetricAlarm", "cloudwatch:DeleteAlarms"],
            "Resource": ["arn:aws:cloudwatch:*:*:alarm:TargetTracking*"],
        },
    ],
}
"""https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSApplicationAutoscalingSageMakerEndpointPolicy.html"""


class LinkedRole:
    """Made with the first target of an account, and there from then on."""

    def __init__(self, cloud: Cloud) -> None:
        """It is made when it is needed."""
        self._cloud = cloud
        self.arn = f"arn:aws:iam::{cloud.account}:role/aws-service-role/{PRINCIPAL}/{_NAME}"

    def restore(self) -> None:
        """After a start: have it again if it was made."""
        if self._cloud.database.get(_KIND, self.arn) is not None:
            self._put()

    def make(self, caller: Caller) -> None:
        """Make it unless it is there; AwsError AccessDenied when this caller may not."""
        if self._cloud.database.get(_KIND, self.arn) is not None:
            return
        if caller.role_arn is not None:
            action, context = "iam:CreateServiceLinkedRole", {"iam:awsservicename": PRINCIPAL}
            self._cloud.authorize(caller.role_arn, action, self.arn, context)
        self._cloud.database.put(_KIND, self.arn, {})
        self._put()

    def _put(self) -> None:
        self._cloud.iam.put_role(self.arn, _TRUST, {"AWSApplicationAutoscalingSageMakerEndpointPolicy": _POLICY})
