"""What a producer of data may say of their encryption, as the bucket's own policy has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from pipeline_stage import Stage

DENIED = "explicit deny in a resource-based policy"


@pytest.fixture(scope="module")
def producer(stage: Stage) -> Any:
    """The S3 client of somebody of the same account, who may do everything."""
    arn = f"arn:aws:iam::{stage.cloud.account}:role/producer"
    trusted = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    trust, grants = ({"Version": "2012-10-17", "Statement": [item]} for item in (trusted, everything))
    stage.cloud.iam.put_role(arn, trust, {"Everything": grants})
    return stage.cloud.client("s3", arn)


@pytest.fixture
def place(stage: Stage) -> dict[str, str]:
    return {"Bucket": stage.deployment.data_bucket, "Key": "incoming/penguins/x.csv"}


def test_who_names_no_encryption_gets_the_buckets_own(producer: Any, place: dict[str, str]) -> None:
    producer.put_object(**place, Body=b"x")
    assert producer.get_object(**place)["Body"].read() == b"x"


def test_the_environments_key_may_be_named(stage: Stage, producer: Any, place: dict[str, str]) -> None:
    producer.put_object(**place, Body=b"x", ServerSideEncryption="aws:kms", SSEKMSKeyId=stage.deployment.key_arn)


@pytest.mark.parametrize(
    "named",
    [
        {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "arn:aws:kms:eu-central-1:123456789012:key/theirs"},
        {"ServerSideEncryption": "aws:kms"},  # that of S3, aws/s3
        {"ServerSideEncryption": "AES256"},
        {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": "0" * 32},
    ],
    ids=["another", "aws-s3", "sse-s3", "sse-c"],
)
def test_any_other_is_refused(producer: Any, place: dict[str, str], named: dict[str, str]) -> None:
    with pytest.raises(ClientError, match=DENIED):
        producer.put_object(**place, Body=b"x", **named)


def test_parts_of_an_upload_are_encrypted_as_it_began(producer: Any, place: dict[str, str]) -> None:
    with pytest.raises(ClientError, match=DENIED):
        producer.create_multipart_upload(**place, ServerSideEncryption="AES256")
    upload = producer.create_multipart_upload(**place)["UploadId"]
    producer.upload_part(**place, UploadId=upload, PartNumber=1, Body=b"x")
    producer.abort_multipart_upload(**place, UploadId=upload)
