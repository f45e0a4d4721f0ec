"""No role of a pipeline changes the data bucket, whatever its own policy says; everything else still may."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from modelwright.local.service import AwsError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelwright.local.cloud import Cloud

MISTAKE = {"Effect": "Allow", "Action": ["s3:*", "kms:*"], "Resource": "*"}
KEY = "incoming/penguins/day-1/a.csv"
CHANGES = {
    "PutObject": {"Body": b"x"},
    "CopyObject": {"CopySource": f"other/{KEY}"},
    "CreateMultipartUpload": {},
    "AbortMultipartUpload": {"UploadId": "1"},
    "PutObjectTagging": {"Tagging": {"TagSet": []}},
    "DeleteObjectTagging": {},
    "DeleteObject": {},
    "DeleteObjects": {"Delete": {"Objects": [{"Key": KEY}]}},
    "DeleteBucket": None,
    "DeleteBucketPolicy": None,
    "PutBucketPolicy": None,
    "PutBucketLifecycleConfiguration": None,
    "PutBucketNotificationConfiguration": None,
    "PutBucketVersioning": None,
    "PutBucketEncryption": None,
}
"""Operations of the S3 API, with what they need beside bucket and key; None: they are about the bucket."""
ALSO = (
    "s3:DeleteObjectVersion",
    "s3:PutObjectAcl",
    "s3:PutObjectRetention",
    "s3:BypassGovernanceRetention",
    "s3:RestoreObject",
    "s3:ReplicateObject",
    "s3:ReplicateDelete",
    "s3:PutReplicationConfiguration",
    "s3:ObjectOwnerOverrideToBucketOwner",
    "s3:PutBucketAcl",
    "s3:AnActionThatDoesNotExistYet",
)
"""Actions that no operation of the local cloud asks for."""


@pytest.fixture(scope="module")
def bucket(cloud: Cloud) -> str:
    found = _stacks(cloud)["mw-dev-data"].resources["DataBucket"][1].id
    cloud.client("s3").put_object(Bucket=found, Key=KEY, Body=b"a,b\n1,2\n")
    return str(found)


@pytest.fixture(scope="module")
def roles(cloud: Cloud) -> Iterator[list[str]]:
    """All roles of the pipeline's stack, each allowed everything in S3 and KMS by mistake."""
    resources = _stacks(cloud)["mw-dev-penguins"].resources.values()
    arns = [physical.attributes["Arn"] for resource, physical in resources if resource.type == "AWS::IAM::Role"]
    assert len(arns) > 10
    for arn in arns:
        cloud.iam.put_role_policy(arn, "Mistake", {"Version": "2012-10-17", "Statement": [MISTAKE]})
    yield arns
    for arn in arns:
        cloud.iam.put_role_policy(arn, "Mistake", None)


def _stacks(cloud: Cloud) -> Any:
    formation: Any = cloud.services["cloudformation"]
    return formation._stacks


@pytest.mark.parametrize("operation", CHANGES)
def test_no_role_changes_it(cloud: Cloud, bucket: str, roles: list[str], operation: str) -> None:
    params = CHANGES[operation]
    about = {"Bucket": bucket} if params is None or operation == "DeleteObjects" else {"Bucket": bucket, "Key": KEY}
    for role in roles:
        with pytest.raises(AwsError, match="explicit deny in a resource-based policy"):
            cloud.iam.check_as(role, "s3", operation, {**about, **(params or {})})


@pytest.mark.parametrize("action", ALSO)
def test_no_role_may_do_what_else_there_is(cloud: Cloud, bucket: str, roles: list[str], action: str) -> None:
    for role in roles:
        for resource in (f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/{KEY}"):
            with pytest.raises(AwsError, match="explicit deny in a resource-based policy"):
                cloud.iam.authorize(role, action, resource)


def test_they_may_read_and_the_request_itself_is_refused(cloud: Cloud, bucket: str, roles: list[str]) -> None:
    for role in roles:
        client = cloud.client("s3", role)
        assert client.get_object(Bucket=bucket, Key=KEY)["ContentLength"] == 8
        assert client.list_objects_v2(Bucket=bucket, Prefix="incoming/")["KeyCount"] == 1
        with pytest.raises(ClientError, match="explicit deny in a resource-based policy"):
            client.put_object(Bucket=bucket, Key=KEY, Body=b"x")
    assert cloud.client("s3").head_object(Bucket=bucket, Key=KEY)["ContentLength"] == 8


def test_it_is_this_statement_that_refuses(cloud: Cloud, bucket: str, roles: list[str]) -> None:
    (deny,) = (ref for ref in cloud.iam.statements() if ref.statement == "PipelinesNeverWrite")
    with cloud.iam.without(deny):
        for role in roles:
            cloud.iam.authorize(role, "s3:PutObject", f"arn:aws:s3:::{bucket}/{KEY}")


def test_a_producers_role_is_not_meant(cloud: Cloud, bucket: str) -> None:
    arn = f"arn:aws:iam::{cloud.account}:role/producers/not-mw-dev-loader"
    trust = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    cloud.iam.put_role(
        arn,
        {"Version": "2012-10-17", "Statement": [trust]},
        {"Write": {"Version": "2012-10-17", "Statement": [MISTAKE]}},
    )
    cloud.iam.authorize(arn, "s3:PutObject", f"arn:aws:s3:::{bucket}/{KEY}")
    nested = f"arn:aws:iam::{cloud.account}:role/ml/mw-dev-penguins-X"  # environments/<env>.yaml: role_path
    cloud.iam.put_role(nested, {"Version": "2012-10-17", "Statement": [trust]}, {})
    with pytest.raises(AwsError, match="explicit deny"):
        cloud.iam.authorize(nested, "s3:PutObject", f"arn:aws:s3:::{bucket}/{KEY}")
