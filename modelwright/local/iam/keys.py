"""The condition keys that the local cloud supplies: a closed list, so that no condition is silently without effect.

A key is here because a request carries it (see `actions/` and `context.py`), or because it is truly absent from every
local request, as it would be from the same request on AWS: there is no VPC endpoint, and a role has no MFA device.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
"""

from __future__ import annotations

from modelwright.errors import nearest

SINGLE = (
    # the principal
    "aws:PrincipalAccount", "aws:PrincipalArn", "aws:PrincipalType", "aws:PrincipalIsAWSService",
    "aws:PrincipalServiceName",
    # how the request came
    "aws:SecureTransport", "aws:SourceIp", "aws:ViaAWSService", "aws:CalledViaFirst", "aws:CalledViaLast",
    "aws:CurrentTime", "aws:EpochTime", "aws:RequestedRegion", "aws:ResourceAccount",
    # on whose behalf a service calls
    "aws:SourceAccount", "aws:SourceArn",
    # truly absent
    "aws:SourceVpc", "aws:SourceVpce", "aws:VpcSourceIp", "aws:MultiFactorAuthPresent", "aws:MultiFactorAuthAge",
    "aws:username",
    # services
    "application-autoscaling:scalable-dimension", "application-autoscaling:service-namespace",
    "cloudwatch:namespace",
    "dynamodb:EnclosingOperation", "dynamodb:ReturnConsumedCapacity", "dynamodb:ReturnValues", "dynamodb:Select",
    "ec2:Subnet",
    "events:detail-type", "events:source",
    "iam:AWSServiceName", "iam:AssociatedResourceArn", "iam:PassedToService",
    "kms:CallerAccount", "kms:GrantIsForAWSResource", "kms:GranteePrincipal", "kms:RequestAlias", "kms:ViaService",
    "lambda:FunctionArn",
    "s3:ResourceAccount", "s3:TlsVersion", "s3:authType", "s3:signatureversion",
    "s3:delimiter", "s3:max-keys", "s3:prefix", "s3:versionid", "s3:if-match", "s3:if-none-match",
    "s3:x-amz-acl", "s3:x-amz-copy-source", "s3:x-amz-metadata-directive", "s3:x-amz-storage-class",
    "s3:x-amz-server-side-encryption", "s3:x-amz-server-side-encryption-aws-kms-key-id",
    "s3:x-amz-server-side-encryption-customer-algorithm",
    "sagemaker:InterContainerTrafficEncryption", "sagemaker:KeepAlivePeriod", "sagemaker:MaxRuntimeInSeconds",
    "sagemaker:ModelApprovalStatus", "sagemaker:NetworkIsolation", "sagemaker:OutputKmsKey", "sagemaker:TargetModel",
    "sagemaker:VolumeKmsKey",
    "sns:Endpoint", "sns:Protocol",
    "ssm:Overwrite", "ssm:Recursive",
    "states:StateMachineQualifier",
    "sts:ExternalId", "sts:RoleSessionName",
    "token.actions.githubusercontent.com:aud", "token.actions.githubusercontent.com:sub",
)  # fmt: skip
"""Keys with one value."""

MULTIPLE = (
    "aws:CalledVia", "aws:PrincipalServiceNamesList", "aws:TagKeys",
    "cloudwatch:AlarmActions",
    "dynamodb:LeadingKeys",
    "kms:EncryptionContextKeys", "kms:GrantOperations",
    "sagemaker:InstanceTypes", "sagemaker:ModelArn", "sagemaker:ServerlessMaxConcurrency",
    "sagemaker:ServerlessMemorySize", "sagemaker:VpcSecurityGroupIds", "sagemaker:VpcSubnets",
)  # fmt: skip
"""Keys with several values: only ForAllValues and ForAnyValue say what a comparison with them means."""

PREFIXES = (
    "aws:RequestTag/",
    "aws:ResourceTag/",
    "aws:PrincipalTag/",
    "kms:EncryptionContext:",
    "s3:RequestObjectTag/",
)
"""Keys that go on with a name of the user's."""

_SINGLE = frozenset(key.lower() for key in SINGLE)
_MULTIPLE = frozenset(key.lower() for key in MULTIPLE)
_PREFIXES = tuple(prefix.lower() for prefix in PREFIXES)


def is_known(key: str) -> bool:
    """Say whether the local cloud supplies `key` (in any case: AWS's keys are not case-sensitive)."""
    lowered = key.lower()
    return lowered in _SINGLE or lowered in _MULTIPLE or (lowered.startswith(_PREFIXES) and lowered not in _PREFIXES)


def is_multiple(key: str) -> bool:
    """Say whether `key` can have several values in one request."""
    return key.lower() in _MULTIPLE


def unknown(key: str) -> str:
    """Say that `key` is not supplied, and which known key is most like it."""
    near = nearest(key, (*SINGLE, *MULTIPLE, *PREFIXES))
    hint = f"; the nearest known one is {near[0]}" if near else ""
    return f"the local cloud does not supply the condition key {key}{hint}"
