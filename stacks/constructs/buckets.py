"""Buckets: nothing public, TLS only, each write logged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aws_cdk import aws_s3 as s3

from stacks.constructs.encryption_key import NO_KEY
from stacks.policies import ACCOUNT_ONLY, Statement, arn, document, tls_only
from stacks.policy_checks import accept, accept_checkov, accept_found

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_cdk import RemovalPolicy
    from constructs import Construct

READS = ("s3:Get*", "s3:List*")
"""What changes neither an object nor the bucket: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html."""

_TOLD = s3.CfnBucket.NotificationConfigurationProperty(
    event_bridge_configuration=s3.CfnBucket.EventBridgeConfigurationProperty(event_bridge_enabled=True)
)
"""New objects are told to EventBridge, where the rules of the pipelines that watch for data are.

The L2's `event_bridge_enabled` would make a custom resource with a Lambda of it. What S3 tells there costs nothing.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-event-notifications-eventbridge.html
https://aws.amazon.com/eventbridge/pricing/ (AWS default service events)
"""

_SSE_S3 = {"sseAlgorithm": "AES256"}
_ASKED = "s3:x-amz-server-side-encryption"
_KEY_ASKED = f"{_ASKED}-aws-kms-key-id"
_ANY_FORM = "a caller may also name the key by its id or alias, which is no ARN; none but the ARN is taken"
_ONE_REGION = "versioned; a copy elsewhere is the owner's decision: it costs, and data may have to stay in its region"


@dataclass(frozen=True)
class Buckets:
    """The environment's three buckets."""

    data: s3.CfnBucket
    artifacts: s3.CfnBucket
    logs: s3.CfnBucket


def buckets(scope: Construct, prefix: str, key_arn: str | None, removal: RemovalPolicy) -> Buckets:
    """Make the three buckets with their policies; `removal` says whether they outlive their stack.

    Without a key, SSE-S3 encrypts them.
    """
    logs = _log_bucket(scope)
    data = _bucket(scope, "DataBucket", key_arn, logs)
    data.notification_configuration = _TOLD
    artifacts = _bucket(scope, "ArtifactBucket", key_arn, logs)
    theirs = (_pipelines_only_read(data.attr_arn, prefix), _readable_by_pipelines(data, key_arn), _no_caller_keys(data))
    _policy(scope, "DataBucketPolicy", data, theirs)
    _policy(scope, "ArtifactBucketPolicy", artifacts, (_no_caller_keys(artifacts),))
    _policy(scope, "LogBucketPolicy", logs, (_log_delivery(logs.attr_arn, (data, artifacts)),))
    for resource in scope.node.children:
        if isinstance(resource, s3.CfnBucket):
            accept(resource, "NIST.800.53.R5-S3BucketReplicationEnabled", _ONE_REGION)
        if isinstance(resource, s3.CfnBucket | s3.CfnBucketPolicy):  # a kept bucket keeps its protection
            resource.apply_removal_policy(removal)
    return Buckets(data, artifacts, logs)


def _bucket(scope: Construct, id_: str, key_arn: str | None, logs: s3.CfnBucket) -> s3.CfnBucket:
    """A versioned bucket under the environment's key; the bucket's own key saves most calls to KMS."""
    own = {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": key_arn} if key_arn else _SSE_S3
    made = s3.CfnBucket(
        scope,
        id_,
        bucket_encryption=_encryption(own, bucket_key=key_arn is not None),
        versioning_configuration={"status": "Enabled"},
        lifecycle_configuration={"rules": [_unfinished_uploads(), _old_versions()]},
        logging_configuration={"destinationBucketName": logs.ref, "logFilePrefix": f"{id_}/"},
        **_private(),
    )
    if key_arn is None:
        accept(made, "NIST.800.53.R5-S3DefaultEncryptionKMS", NO_KEY)
    return made


def _log_bucket(scope: Construct) -> s3.CfnBucket:
    """The access logs' bucket: SSE-S3, as log delivery cannot use a key of ours.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-server-access-logging.html
    """
    bucket = s3.CfnBucket(
        scope,
        "LogBucket",
        bucket_encryption=_encryption(_SSE_S3, bucket_key=False),
        versioning_configuration={"status": "Enabled"},
        lifecycle_configuration={
            "rules": [
                _unfinished_uploads(),
                {
                    "id": "Expire",
                    "status": "Enabled",
                    "expirationInDays": 365,
                    "noncurrentVersionExpiration": {"noncurrentDays": 1},
                },
            ]
        },
        **_private(),
    )
    accept_checkov(bucket, {"CKV_AWS_18": "it takes the access logs; logging its own would never end"})
    accept(bucket, "NIST.800.53.R5-S3DefaultEncryptionKMS", "S3's log delivery writes with SSE-S3 only")
    return bucket


def _encryption(default: dict[str, str], *, bucket_key: bool) -> dict[str, Any]:
    rule = {"serverSideEncryptionByDefault": default, "bucketKeyEnabled": bucket_key}
    return {"serverSideEncryptionConfiguration": [rule]}


def _private() -> dict[str, Any]:
    block = {
        "blockPublicAcls": True,
        "blockPublicPolicy": True,
        "ignorePublicAcls": True,
        "restrictPublicBuckets": True,
    }
    return {
        "public_access_block_configuration": block,
        "ownership_controls": {"rules": [{"objectOwnership": "BucketOwnerEnforced"}]},
    }


def _unfinished_uploads() -> dict[str, Any]:
    return {
        "id": "UnfinishedUploads",
        "status": "Enabled",
        "abortIncompleteMultipartUpload": {"daysAfterInitiation": 7},
    }


def _old_versions() -> dict[str, Any]:
    return {
        "id": "OldVersions",
        "status": "Enabled",
        "noncurrentVersionExpiration": {"noncurrentDays": 90},
        "expiredObjectDeleteMarker": True,
    }


def _policy(scope: Construct, id_: str, bucket: s3.CfnBucket, statements: tuple[Statement, ...] = ()) -> None:
    resources = (bucket.attr_arn, f"{bucket.attr_arn}/*")
    made = s3.CfnBucketPolicy(
        scope, id_, bucket=bucket.ref, policy_document=document((tls_only("s3:*", *resources), *statements))
    )
    for statement in statements:
        if _KEY_ASKED in statement.conditions.get("StringNotEquals", {}):
            accept_found(
                made,
                "parliament",
                {f"MISMATCHED_TYPE_BUT_USABLE[{statement.sid}/{a}]": _ANY_FORM for a in statement.actions},
            )


def _pipelines_only_read(bucket_arn: str, prefix: str) -> Statement:
    """No role of a pipeline does more than read, whatever its own policy says; their names begin with their stack's.

    So it is not only writing, deleting, tagging and parts of uploads: who could change this policy, the life cycle, the
    replication or the versions of the bucket could write, or have deleted, in the end.
    """
    roles = [arn("iam", f"role/{path}{prefix}-*", region="") for path in ("", "*/")]
    return Statement(
        "PipelinesNeverWrite",
        (),
        (bucket_arn, f"{bucket_arn}/*"),
        {"ArnLike": {"aws:PrincipalArn": roles}},
        effect="Deny",
        principal={"AWS": "*"},
        but=READS,
    )


def _readable_by_pipelines(bucket: s3.CfnBucket, key_arn: str | None) -> Statement:
    """Nobody puts data under a key that pipelines may not use: a producer hears of it, not a job days later.

    Who names no encryption gets the bucket's own: policies are evaluated before it is applied, so that they see none.
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/default-bucket-encryption.html
    Not so the artifact bucket: only roles of ours write there, and what SageMaker adds by itself no page says.
    """
    named = _KEY_ASKED
    another: Mapping[str, Mapping[str, str]] = {"Null": {named: "false"}}
    if key_arn:
        another = {"Null": {_ASKED: "false"}, "StringNotEquals": {named: key_arn}}
    return _no_put("OnlyKeysOfPipelines", bucket, another)


def _no_caller_keys(bucket: s3.CfnBucket) -> Statement:
    """Nobody encrypts with a key that he has himself (SSE-C): no one else could ever read that, or restore it.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/ServerSideEncryptionCustomerKeys.html
    """
    return _no_put("NoKeysOfCallers", bucket, {"Null": {f"{_ASKED}-customer-algorithm": "false"}})


def _no_put(sid: str, bucket: s3.CfnBucket, conditions: Mapping[str, Mapping[str, str]]) -> Statement:
    objects = (f"{bucket.attr_arn}/*",)
    return Statement(sid, ("s3:PutObject",), objects, conditions, effect="Deny", principal={"AWS": "*"})


def _log_delivery(bucket_arn: str, sources: tuple[s3.CfnBucket, ...]) -> Statement:
    return Statement(
        "AccessLogs",
        ("s3:PutObject",),
        (f"{bucket_arn}/*",),
        {**ACCOUNT_ONLY, "ArnLike": {"aws:SourceArn": [source.attr_arn for source in sources]}},
        principal={"Service": "logging.s3.amazonaws.com"},
    )
